import Foundation
import Testing

/// What documents name must exist: files, suites of tests, single tests. A page that points nowhere is worse than none.
@Suite("Documents")
struct DocumentTests {
  private static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()

  /// Every document by its path below the checkout.
  private static let documents: [(path: String, text: String)] = {
    let paths = (FileManager.default.enumerator(atPath: root.path + "/docs")?.compactMap { $0 as? String } ?? []).map { "docs/" + $0 }
    return (["README.md", "CONTRIBUTING.md", "CHANGELOG.md", "cluster/README.md"] + paths.sorted()).filter { $0.hasSuffix(".md") }.map {
      ($0, text(of: $0))
    }
  }()

  /// Every suite of tests by the name of its type, with the text of its files (two targets may have one of the same name).
  private static let suites: [String: String] = {
    var result: [String: String] = [:]
    for case let path as String in FileManager.default.enumerator(atPath: root.path + "/Tests") ?? .init() where path.hasSuffix(".swift") {
      let source = text(of: "Tests/" + path)
      for match in source.matches(of: /(?:struct|enum|class) (\w+Tests)\b/) { result[String(match.1), default: ""] += source }
    }
    return result
  }()

  private static func text(of path: String) -> String {
    String(decoding: FileManager.default.contents(atPath: root.path + "/" + path) ?? Data(), as: UTF8.self)
  }

  /// What stands between backquotes outside of indented blocks and fences.
  static func quoted(_ text: String) -> [String] {
    var isFenced = false
    var result: [String] = []
    for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
      if line.hasPrefix("```") { isFenced.toggle() }
      guard !isFenced, !line.hasPrefix("    ") else { continue }
      result += line.matches(of: /`([^`]+)`/).map { String($0.1) }
    }
    return result
  }

  /// The path that `name` stands for if it stands for one of the checkout.
  static func path(_ name: String) -> String? {
    let folders = ["Sources/", "Tests/", "scripts/", "configs/", "docs/", "cluster/", "Examples/"]
    guard folders.contains(where: name.hasPrefix), !name.contains(where: { "*<>{}$".contains($0) }) else { return nil }
    return name.split(separator: " ").first.map(String.init)
  }

  @Test("every file of the checkout that a document names is there")
  func files() {
    #expect(Self.documents.count > 20, "the documents were not found at \(Self.root.path)")
    var missing: [String] = []
    for document in Self.documents where document.path != "CHANGELOG.md" {
      for path in Self.quoted(document.text).compactMap(Self.path)
      where !FileManager.default.fileExists(atPath: Self.root.path + "/" + path) {
        missing.append("\(document.path): \(path)")
      }
    }
    #expect(missing.isEmpty, "\(missing.joined(separator: "\n"))")
  }

  @Test("every suite and every test that a document names is there")
  func tests() {
    #expect(Self.suites.count > 80)
    var missing: [String] = []
    for document in Self.documents where document.path != "CHANGELOG.md" {
      for cell in document.text.split(whereSeparator: { $0 == "|" || $0 == "\n" }) {
        missing += Self.unknownTests(in: String(cell)).map { "\(document.path): \($0)" }
      }
    }
    #expect(missing.isEmpty, "\(missing.joined(separator: "\n"))")
  }

  /// Names of suites, and `Suite.test` or, behind a suite in the same cell, `.test`, that are not there.
  static func unknownTests(in cell: String) -> [String] {
    var suite = ""
    var unknown: [String] = []
    for name in quoted(cell) {
      guard let match = name.wholeMatch(of: /(\w+Tests)?(?:\.(\w+))?/), match.1 != nil || match.2 != nil else { continue }
      if let named = match.1 { suite = String(named) }
      guard !suite.isEmpty else { continue }
      guard let source = suites[suite] else {
        // Folders and targets of tests are called so, too.
        if !FileManager.default.fileExists(atPath: root.path + "/Tests/" + suite) { unknown.append(name) }
        continue
      }
      if let test = match.2, !source.contains("func \(test)(") { unknown.append("\(suite).\(test)") }
    }
    return unknown
  }

  @Test("every feature that is there has a file and a test, every other a reason")
  func features() {
    let rows = Self.text(of: "docs/features.md").split(separator: "\n").filter { $0.hasPrefix("| ") && !$0.hasPrefix("| ---") }.dropFirst()
    #expect(rows.count >= 47, "the specification has 47 features")
    for row in rows {
      let cells = row.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
      guard cells.count == 4 else {
        Issue.record("\(row): expected four cells")
        continue
      }
      if cells[1].hasPrefix("no") {
        #expect(cells[2] != "-" || cells[3].count > 5, "\(cells[0]): no reason")
      } else {
        #expect(cells[2].contains("`Sources/") || cells[2].contains("`scripts/"), "\(cells[0]): no file")
        #expect(cells[3].contains("Tests`") || cells[3].contains("Tests."), "\(cells[0]): no test")
      }
    }
  }

  @Test("planted names are found")
  func planted() {
    #expect(Self.quoted("a `b` c\n    `no`\n```\n`no`\n```\n`d e`") == ["b", "d e"])
    #expect(Self.path("Sources/X.swift (function)") == "Sources/X.swift")
    #expect(Self.path("Tests/Fixtures/format-*") == nil && Self.path("runs/a") == nil)
    #expect(Self.unknownTests(in: "`DocumentTests.planted`, `.files`") == [])
    #expect(Self.unknownTests(in: "`DocumentTests.planted`, `.nothing`, `NoSuchTests`") == ["DocumentTests.nothing", "NoSuchTests"])
  }
}
