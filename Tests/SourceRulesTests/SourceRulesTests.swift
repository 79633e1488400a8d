import Foundation
import Testing

/// What the sources must not hold, read from their text: properties that no run would show.
@Suite("Source rules")
struct SourceRulesTests {
  private static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()
    .appendingPathComponent("Sources")

  /// Every source file by its path below `Sources`.
  private static let files: [(path: String, text: String)] = {
    let enumerator = FileManager.default.enumerator(atPath: root.path)
    let paths = (enumerator?.compactMap { $0 as? String } ?? []).sorted()
    return paths.filter { path in [".swift", ".c", ".h", ".inc", ".modulemap"].contains { path.hasSuffix($0) } }.map { path in
      // Not validated: a byte that is no UTF-8 becomes one that the ASCII rule reports.
      (path, String(decoding: FileManager.default.contents(atPath: root.path + "/" + path) ?? Data(), as: UTF8.self))
    }
  }()

  @Test("no source breaks a rule", arguments: SourceRule.all)
  func sources(rule: SourceRule) {
    #expect(Self.files.count > 200, "the sources were not found at \(Self.root.path)")
    let broken = Self.files.flatMap { rule.violations(in: $0.text, path: $0.path) }
    #expect(broken.isEmpty, "\(broken.joined(separator: "\n"))")
  }

  @Test("every rule sees a planted line and lets a harmless one pass", arguments: SourceRule.all)
  func planted(rule: SourceRule) {
    #expect(!rule.planted.isEmpty && !rule.harmless.isEmpty)
    for (path, line) in rule.planted { #expect(rule.violations(in: "\n" + line + "\n", path: path).count == 1, "\(path): \(line)") }
    for (path, line) in rule.harmless { #expect(rule.violations(in: "\n" + line + "\n", path: path).isEmpty, "\(path): \(line)") }
  }

  @Test("every exception names a file that needs it", arguments: SourceRule.all)
  func exceptions(rule: SourceRule) {
    for path in rule.exceptions.keys {
      let file = Self.files.first { $0.path == path }
      let strict = SourceRule(
        name: rule.name, applies: rule.applies, exceptions: [:], isBroken: rule.isBroken, planted: rule.planted, harmless: rule.harmless)
      #expect(file.map { !strict.violations(in: $0.text, path: path).isEmpty } == true, "\(path) needs no exception")
    }
  }

  @Test("comments and literals are no code, interpolations are")
  func stripping() {
    #expect(SourceText.code(of: "a // b\nc") == "a \nc")
    #expect(SourceText.code(of: "a /* b\n */ c") == "a \n c")
    #expect(SourceText.code(of: "f(\"b \\\" // c\", d)") == "f(\"\", d)")
    #expect(SourceText.code(of: "\"a \\(g(b) + \"c\") d\" e") == "\"(g(b) + \"\")\" e")
    #expect(SourceText.code(of: "\"\"\"\na \"b\" c\n\"\"\" d") == "\"\"\"\n\n\"\"\" d")
    #expect(SourceText.code(of: "if (c == '\"') return; // x") == "if (c == ) return; ")
  }
}
