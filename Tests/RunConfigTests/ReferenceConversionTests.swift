import Foundation
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
    #expect(conversion.ignored[1].reason == "no key that is known")
    let text = conversion.configuration.text()
    let configuration = try Configuration(parsing: [UInt8](text.utf8), name: "converted")
    #expect(configuration.cluster.numReplicas == 6 && configuration.network.hidden == Configuration().network.hidden)
  }

  @Test("every key of a whole file is named once, by itself or with an object around it")
  func complete() throws {
    let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .appendingPathComponent("Fixtures/reference_ppo_warmstart.json")
    let bytes = [UInt8](try Data(contentsOf: file))
    let conversion = try ReferenceConversion(parsing: bytes, name: "theirs.json")
    let named = conversion.applied.map(\.from) + conversion.ignored.map(\.from)
    #expect(Set(named).count == named.count)
    var leaves: [String] = []
    func walk(_ value: JSONValue, _ path: String) {
      guard let members = value.members else { return leaves.append(path) }
      for member in members { walk(member.value, path.isEmpty ? member.key : path + "." + member.key) }
    }
    walk(try JSONValue(parsing: String(decoding: bytes, as: UTF8.self)), "")
    #expect(leaves.count > 70)
    for leaf in leaves {
      #expect(named.count { leaf == $0 || leaf.hasPrefix($0 + ".") } == 1, "\(leaf)")
    }
    // Two switches for statistics, one of which does anything here.
    #expect(conversion.configuration["rollout"]?["stabilization_decisions"] == .integer(200))
  }

  @Test("keys beside known ones say what stands for them here")
  func others() throws {
    let conversion = try convert(
      #"{"temperature_control": {"enable_dynamic_temperature": true, "temperature_pulse": {"enable": true, "interval": 5}}}"#)
    #expect(conversion.applied.map(\.to) == ["temperature.enabled", "temperature.pulses"])
    #expect(conversion.ignored.map(\.from) == ["temperature_control.temperature_pulse.interval"])
    #expect(conversion.ignored[0].reason.contains("temperature.pulse_interval"))
  }

  @Test("the temperature's keys have no effect without its controller, and that is said")
  func switchedOff() throws {
    for control in [#""base": 1.5, "enable_dynamic_temperature": false"#, #""base": 1.5"#] {
      let conversion = try convert("{\"temperature_control\": {\(control)}}")
      #expect(conversion.applied.allSatisfy { $0.to == "temperature.enabled" })
      #expect(conversion.ignored.map(\.from) == ["temperature_control.base"])
      #expect(conversion.ignored[0].reason.contains("temperature.enabled"))
      #expect(conversion.configuration["temperature"]?["base"] == nil)
    }
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
