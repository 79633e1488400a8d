import Testing

@testable import RunConfig

@Suite("Conversion of the predecessor's configuration")
struct ReferenceConversionTests {
  private func convert(_ text: String) throws -> ReferenceConversion {
    try ReferenceConversion(parsing: [UInt8](text.utf8), name: "theirs.json")
  }

  @Test("every counterpart in the table is a key of ours, every path is there once")
  func table() {
    for entry in ReferenceKeys.table {
      switch entry.rule {
      case .key(let path), .names(let path): #expect(Schema.field(path) != nil, "\(entry.path) -> \(path)")
      case .none(let reason): #expect(!reason.isEmpty)
      }
    }
    let paths = ReferenceKeys.table.map(\.path)
    #expect(Set(paths).count == paths.count)
  }

  @Test("values with a counterpart are kept, all others are named with a reason, nothing is lost")
  func values() throws {
    let conversion = try convert(
      """
      {"training": {"num_replicas": 6, "demo_policies": ["random", "lor"]}, "model_dimensions": {"state_dim": 198, "deep": {"x": 1}},
       "ppo_config": {"lr": 0.001, "unheard_of": 1}, "other": {"a": {"b": 2}}}
      """)
    #expect(conversion.configuration["cluster"]?["num_replicas"] == .integer(6))
    #expect(conversion.configuration["ppo"]?["learning_rate"]?.doubleValue == 0.001)
    #expect(conversion.configuration["warmstart"]?["behaviours"]?.stringValue == "random,lor")
    #expect(conversion.ignored.map(\.from) == ["model_dimensions", "ppo_config.unheard_of", "other.a.b"])
    #expect(conversion.ignored.allSatisfy { !$0.reason.isEmpty })
    let text = conversion.configuration.text()
    let configuration = try Configuration(parsing: [UInt8](text.utf8), name: "converted")
    #expect(configuration.cluster.numReplicas == 6 && configuration.network.hidden == Configuration().network.hidden)
  }

  @Test("values that ours does not allow are named with file, line and both keys")
  func refused() {
    do {
      _ = try convert("{\n\"actor_critic_architecture\": {\"actor\": {\n\"hidden_size\": 33, \"gru_layers\": \"two\"}}}")
      Issue.record("expected an error")
    } catch let error as ConfigurationError {
      #expect(error.issues.map(\.code) == [.outOfRange, .wrongType])
      for part in ["theirs.json:3", "hidden_size", "network.hidden", "33", "a multiple of 16"] {
        #expect("\(error)".contains(part), "\(error)")
      }
    } catch {
      Issue.record("\(error)")
    }
    #expect(throws: ConfigurationError.self) { try convert("[1]") }
    #expect(throws: ConfigurationError.self) { try convert("{") }
  }
}
