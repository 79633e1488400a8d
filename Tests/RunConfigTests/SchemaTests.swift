import Foundation
import Testing

@testable import RunConfig

@Suite("Table of keys")
struct SchemaTests {
  @Test("every stored property has its key, in the same order")
  func completeness() {
    var paths: [String] = []
    for section in Mirror(reflecting: Configuration()).children {
      for property in Mirror(reflecting: section.value).children {
        paths.append("\(section.label ?? "").\(Self.snakeCase(property.label ?? ""))")
      }
    }
    #expect(Set(paths) == Set(Schema.fields.map(\.path)))
    #expect(paths.count == Schema.fields.count)
    #expect(Schema.sections.map(\.name) == Mirror(reflecting: Configuration()).children.map { $0.label ?? "" })
  }

  @Test("a key stores where it reads, and nowhere else")
  func storage() {
    for field in Schema.fields {
      var configuration = Configuration()
      let value = ConfigurationTests.another(field)
      #expect(field.kind.hasType(value) && field.kind.accepts(value), "\(field.path)")
      field.write(&configuration, value)
      #expect(field.value(in: configuration) == value, "\(field.path)")
      for other in Schema.fields where other.path != field.path {
        #expect(other.value(in: configuration) == other.defaultValue, "\(field.path) changes \(other.path)")
      }
    }
  }

  @Test("every default is allowed, every key has one sentence in ASCII")
  func documentation() {
    for field in Schema.fields {
      #expect(field.kind.accepts(field.defaultValue), "\(field.path)")
      #expect(field.documentation.hasSuffix("."), "\(field.path)")
      #expect(!field.documentation.dropLast().contains(". "), "\(field.path)")
      #expect(field.documentation.allSatisfy(\.isASCII) && !field.documentation.contains("|"), "\(field.path)")
      #expect(Schema.sections.contains { $0.name == field.section }, "\(field.path)")
    }
    #expect(Set(Schema.fields.map(\.path)).count == Schema.fields.count)
  }

  @Test("configs/default.json and docs/configuration.md are what the table says")
  func generatedFiles() throws {
    for (path, text) in [("configs/default.json", Configuration().documentedText()), ("docs/configuration.md", Schema.markdown())] {
      let url = Self.root.appendingPathComponent(path)
      if ProcessInfo.processInfo.environment["UPDATE_GOLDEN"] == "1" { try Data(text.utf8).write(to: url) }
      let committed = String(decoding: try Data(contentsOf: url), as: UTF8.self)
      #expect(committed == text, "\(path) is not what the table says: run with UPDATE_GOLDEN=1")
    }
  }

  @Test("every file under configs is valid")
  func files() throws {
    let folder = Self.root.appendingPathComponent("configs")
    let names = try FileManager.default.contentsOfDirectory(atPath: folder.path).filter { $0.hasSuffix(".json") }.sorted()
    #expect(names.contains("default.json") && names.contains("cartpole.json") && names.contains("test.json"))
    for name in names {
      let bytes = [UInt8](try Data(contentsOf: folder.appendingPathComponent(name)))
      let configuration = try Configuration(parsing: bytes, name: name)
      if name == "default.json" { #expect(configuration == Configuration()) }
      if name == "cartpole.json" { #expect(configuration.run.environment == .cartpole) }
    }
  }

  @Test("the explanation of a key shows everything")
  func explanation() throws {
    let expected = """
      network.hidden
        Width of the recurrent layers (architecture recurrent).
        Unit: units. Allowed: 16 ... 4096, a multiple of 16. On resume: frozen.
        Default: 128
      """
    #expect(try #require(Schema.field("network.hidden")).explanation == expected)
  }

  /// The package folder.
  private static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()

  private static func snakeCase(_ name: String) -> String {
    name.reduce(into: "") { $0 += $1.isUppercase ? "_" + $1.lowercased() : String($1) }
  }
}
