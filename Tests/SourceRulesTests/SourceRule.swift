import Testing

/// One thing that no line of `Sources` may hold, or only the lines of named files.
struct SourceRule: Sendable, CustomTestStringConvertible {
  /// For messages.
  let name: String
  /// Where it holds, by the path below `Sources`.
  let applies: @Sendable (String) -> Bool
  /// Files that may break it, each with the reason.
  let exceptions: [String: String]
  /// Whether a line breaks it, given the line as written and its code alone.
  let isBroken: @Sendable (_ line: Substring, _ code: Substring) -> Bool
  /// A file and a line in it that break it: the proof that the rule sees anything.
  let planted: [(path: String, line: String)]
  /// A file and a line in it that look alike and are fine.
  let harmless: [(path: String, line: String)]

  var testDescription: String { name }

  /// Lines of `text` that break the rule, as `path:line: name: text`.
  func violations(in text: String, path: String) -> [String] {
    guard applies(path), exceptions[path] == nil else { return [] }
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    let code = SourceText.code(of: text).split(separator: "\n", omittingEmptySubsequences: false)
    return zip(lines, code).enumerated().compactMap { number, pair in
      isBroken(pair.0, pair.1) ? "\(path):\(number + 1): \(name): \(pair.0)" : nil
    }
  }
}
