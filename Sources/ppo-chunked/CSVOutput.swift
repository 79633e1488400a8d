import Foundation
import Training

/// A CSV file that is written row by row.
final class CSVOutput {
  private let path: String
  private let handle: FileHandle
  private var buffer = Data()

  /// Creates the file, or empties it.
  init(path: String, columns: String) throws(TrainingError) {
    self.path = path
    guard FileManager.default.createFile(atPath: path, contents: nil), let handle = FileHandle(forWritingAtPath: path) else {
      throw TrainingError(.outputUnusable, "\(path): cannot be written")
    }
    self.handle = handle
    try write(columns)
  }

  /// Adds a row.
  func write(_ row: String) throws(TrainingError) {
    buffer.append(contentsOf: row.utf8)
    buffer.append(UInt8(ascii: "\n"))
    if buffer.count >= 1 << 18 { try flush() }
  }

  /// Writes what is left; the file is complete afterwards.
  func close() throws(TrainingError) {
    try flush()
    do { try handle.close() } catch { throw TrainingError(.inputOutput, "\(path): \(error)") }
  }

  private func flush() throws(TrainingError) {
    do { try handle.write(contentsOf: buffer) } catch { throw TrainingError(.inputOutput, "\(path): \(error)") }
    buffer.removeAll(keepingCapacity: true)
  }
}
