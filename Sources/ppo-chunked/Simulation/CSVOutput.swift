import Foundation
import Training

/// A file of rows that is written while they come about: CSV, or JSON line by line.
final class CSVOutput {
  private let path: String
  private let handle: FileHandle
  private var buffer = Data()

  /// Creates the file, or empties it. A device, a pipe or the target of a link is written to, not replaced.
  init(path: String, columns: String) throws(TrainingError) {
    self.path = path
    let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o666)
    guard descriptor >= 0 else { throw TrainingError(.outputUnusable, "\(path): cannot be written: \(Self.lastError)") }
    handle = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
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
    do { try handle.close() } catch { throw TrainingError(.inputOutput, "\(path): cannot be closed: \(Self.lastError)") }
  }

  private func flush() throws(TrainingError) {
    do { try handle.write(contentsOf: buffer) } catch { throw TrainingError(.inputOutput, "\(path): cannot be written: \(Self.lastError)") }
    buffer.removeAll(keepingCapacity: true)
  }

  private static var lastError: String { String(cString: strerror(errno)) }
}
