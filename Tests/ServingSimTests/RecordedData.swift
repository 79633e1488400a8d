import Glibc

/// Data that lies beside the project root in some checkouts (`shared/data`); tests that need it are skipped without it.
enum RecordedData {
  /// The folder, found from this file upwards.
  static let folder: String? = {
    var path = #filePath
    for _ in 0..<6 {
      guard let slash = path.lastIndex(of: "/") else { return nil }
      path = String(path[..<slash])
      let candidate = path + "/shared/data"
      if access(candidate + "/simulator", R_OK) == 0 { return candidate }
    }
    return nil
  }()

  static var isPresent: Bool { folder != nil }

  static func bytes(_ name: String) throws -> [UInt8] {
    guard let folder, let file = fopen(folder + "/" + name, "rb") else { throw MissingFile(name: name) }
    defer { fclose(file) }
    var result: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      let count = fread(&buffer, 1, buffer.count, file)
      if count == 0 { return result }
      result += buffer[0..<count]
    }
  }

  /// Rows of a CSV file without its header.
  static func rows(_ name: String) throws -> [[String]] {
    let text = String(decoding: try bytes(name), as: UTF8.self)
    let lines = text.split(whereSeparator: \.isNewline)
    return lines.dropFirst().map { $0.split(separator: ",", omittingEmptySubsequences: false).map(String.init) }
  }

  struct MissingFile: Error { let name: String }
}
