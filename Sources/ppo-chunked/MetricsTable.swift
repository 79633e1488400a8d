import RunConfig
import Training

/// JSON lines as a table: one row a record, one column a field.
struct MetricsTable {
  /// Fields in the order of their first appearance.
  private(set) var columns: [String] = []
  /// Fields of each record in its own order.
  private(set) var rows: [[JSONMember]] = []

  /// Reads whole lines; a last line without its end is one that is still being written.
  init(parsing bytes: [UInt8], file: String) throws(TrainingError) {
    let whole = bytes[..<(bytes.lastIndex(of: UInt8(ascii: "\n")) ?? 0)]
    guard !whole.isEmpty else { return }
    var known: Set<String> = []
    for (index, line) in whole.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).enumerated() {
      do throws(JSONError) {
        guard let members = try JSONValue(parsing: Array(line), name: "\(file):\(index + 1)").members else {
          throw JSONError(name: "\(file):\(index + 1)", message: "is no object")
        }
        rows.append(members)
        for member in members where known.insert(member.key).inserted { columns.append(member.key) }
      } catch {
        throw TrainingError(.badData, error.description)
      }
    }
  }

  /// RFC 4180 with a heading; line feeds end lines, absent fields and null are empty.
  var csv: String {
    var text = columns.map(Self.quoted).joined(separator: ",") + "\n"
    for row in rows {
      let fields = Dictionary(row.map { ($0.key, $0.value) }, uniquingKeysWith: { first, _ in first })
      text += columns.map { column in fields[column].map(Self.cell) ?? "" }.joined(separator: ",") + "\n"
    }
    return text
  }

  private static func cell(_ value: JSONValue) -> String {
    switch value {
    case .null: ""
    case .string(let text): quoted(text)
    default: quoted(value.compactText())
    }
  }

  private static func quoted(_ text: String) -> String {
    guard text.contains(where: { ",\"\n\r".contains($0) }) else { return text }
    return "\"" + text.replacing("\"", with: "\"\"") + "\""
  }
}
