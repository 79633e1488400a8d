/// A CSV file that cannot be used: where and why.
public struct CSVError: Error, Equatable, Sendable, CustomStringConvertible {
  /// What is wrong.
  public enum Reason: String, Equatable, Sendable {
    /// No header or no row.
    case emptyFile = "the file has no rows"
    /// A required column is not in the header.
    case missingColumn = "the header lacks this column"
    /// A required column stands twice in the header.
    case duplicateColumn = "the header names this column twice"
    /// The row has fewer fields than the header needs.
    case missingField = "the row has no such field"
    /// The text is no decimal number.
    case notANumber = "not a number"
    /// The text is neither a number nor a date and time.
    case notATime = "neither seconds nor YYYY-MM-DD HH:MM:SS"
    /// A number, but NaN or infinite.
    case notFinite = "not finite"
    /// The text is not True or False.
    case notABoolean = "neither True nor False"
    /// A token count with a fraction.
    case notWhole = "not a whole number"
    /// Below zero.
    case negative = "negative"
    /// A token count of zero.
    case zeroTokens = "a request needs at least one token here"
    /// Above what a request can have (2^31 - 1 tokens).
    case tooLarge = "too large"
    /// Earlier than the row before.
    case decreasingTime = "arrivals must not go back in time"
    /// No row is about the model, device or number of workers that is asked for.
    case noMatchingRow = "no row is about this"
    /// A replica number beyond the cluster's.
    case noSuchReplica = "the cluster has no such replica"
    /// The row stands for a request that another row is about.
    case duplicateRow = "another row is about the same"
  }

  /// Name given to the reader.
  public let file: String
  /// 1-based line, the header's is 1.
  public let line: Int
  /// Column name, empty if it is about the whole file.
  public let column: String
  /// The text in the field.
  public let value: String
  /// What is wrong with it.
  public let reason: Reason

  /// A flaw at its place.
  public init(file: String, line: Int, column: String, value: String, reason: Reason) {
    self.file = file
    self.line = line
    self.column = column
    self.value = value
    self.reason = reason
  }

  /// `file:line: column "value": reason`
  public var description: String {
    if column.isEmpty && value.isEmpty { return "\(file):\(line): \(reason.rawValue)" }
    if column.isEmpty { return "\(file):\(line): \(value): \(reason.rawValue)" }
    return "\(file):\(line): \(column) \"\(value)\": \(reason.rawValue)"
  }
}
