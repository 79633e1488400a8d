import Foundation
import Testing

@testable import RunConfig

/// Thousands of damaged configurations: each is valid as a whole or refused with every issue named.
@Suite("Damaged configurations")
struct ConfigurationFuzzTests {
  /// Knuth's linear congruential generator; tests of this target know no other.
  struct Generator {
    var state: UInt64
    mutating func bounded(_ count: Int) -> Int {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Int((state >> 33) % UInt64(count))
    }
  }

  static let pieces = [
    "{", "}", "[", "]", ",", ":", "\"", "null", "true", "-1", "0", "1e999", "1e-999", "99999999999999999999", "0.5", "//", "\u{0}",
    "\\u0000",
    "\"workload\": {", "\"classes\": [{}]", "\"replicas\": [{\"count\": 0}]", "\"timing\": {\"model\": \"table\"}", "\"share\": \"x\"",
  ]

  static func damaged(_ text: [UInt8], _ random: inout Generator) -> [UInt8] {
    var bytes = text
    for _ in 0...random.bounded(3) {
      let place = bytes.isEmpty ? 0 : random.bounded(bytes.count)
      switch random.bounded(5) {
      case 0 where !bytes.isEmpty: bytes[place] = UInt8(random.bounded(256))
      case 1 where !bytes.isEmpty: bytes.removeSubrange(place..<min(bytes.count, place + 1 + random.bounded(30)))
      case 2: bytes.insert(contentsOf: Array(pieces[random.bounded(pieces.count)].utf8), at: place)
      case 3: bytes.insert(contentsOf: Array(bytes[place..<min(bytes.count, place + 40)]), at: place)
      default:
        // Another digit where one stands keeps the syntax whole and moves values about.
        if let digit = bytes.indices.filter({ bytes[$0] >= 48 && bytes[$0] <= 57 }).dropFirst(random.bounded(40)).first {
          bytes[digit] = UInt8(48 + random.bounded(10))
        }
      }
    }
    return bytes
  }

  private static func file(_ name: String) throws -> [UInt8] {
    let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    return [UInt8](try Data(contentsOf: root.appendingPathComponent("configs/\(name)")))
  }

  @Test("every damaged file is read or refused", arguments: ["test.json", "heterogeneous.json"])
  func files(name: String) throws {
    let whole = try Self.file(name)
    var (read, refused) = (0, 0)
    for seed in 0..<3000 {
      var random = Generator(state: UInt64(seed))
      let bytes = Self.damaged(whole, &random)
      do throws(ConfigurationError) {
        let configuration = try Configuration(parsing: bytes, name: "c.json")
        read += 1
        // What is valid stays so when it is written and read again.
        let text = configuration.resolvedText()
        let again = try Configuration(parsing: Array(text.utf8), name: "again")
        #expect(again == configuration, "seed \(seed)")
      } catch {
        refused += 1
        #expect(!error.issues.isEmpty && !error.description.isEmpty, "seed \(seed)")
      }
    }
    #expect(read > 50 && refused > 50, "\(read) read, \(refused) refused")
  }

  static let scenario = """
    {"name": "s", "note": "x", "global_scheduler": "lor", "replica_scheduler": "vllm", "num_replicas": 4, "num_pipeline_stages": 1,
     "max_tokens": 4096, "model": "meta-llama/Llama-2-7b-hf", "device": "a100",
     "time_model": {"a": 0.0078125, "b": 6.1e-05, "c": 0.0001, "d": 4.7e-07},
     "sched": {"batch_size_cap": 4, "block_size": 16, "watermark_blocks_fraction": 0.01, "num_blocks": 4096, "max_tokens_in_batch": 4096},
     "units": "seconds, tokens, blocks", "seed": 42}
    """

  @Test("a scenario of a recorded run says what its configuration says")
  func scenarioFile() throws {
    let (overrides, policy) = try ScenarioFile.overrides(try JSONValue(parsing: Self.scenario), name: "scenario.json")
    let configuration = try Configuration(overrides: overrides)
    #expect(policy == "lor" && configuration.run.seed == 42)
    #expect(configuration.cluster.replicaScheduler == .vllm && configuration.cluster.numReplicas == 4)
    #expect(configuration.cluster.blockCount == 4096 && configuration.cluster.batchSizeCap == 4)
    #expect(configuration.timing.model == .linear && configuration.timing.linearA == 0.0078125 && configuration.timing.linearD == 4.7e-07)
    let unknown = Self.scenario.replacing("\"seed\"", with: "\"sead\"")
    #expect(throws: JSONError.self) { try ScenarioFile.overrides(try JSONValue(parsing: unknown), name: "scenario.json") }
  }

  @Test("every damaged scenario is read or refused")
  func scenarios() {
    for seed in 0..<3000 {
      var random = Generator(state: UInt64(seed))
      let bytes = Self.damaged(Array(Self.scenario.utf8), &random)
      guard let root = try? JSONValue(parsing: String(decoding: bytes, as: UTF8.self)), ScenarioFile.isScenario(root),
        let (overrides, _) = try? ScenarioFile.overrides(root, name: "s.json")
      else { continue }
      do throws(ConfigurationError) { _ = try Configuration(overrides: overrides) } catch { #expect(!error.issues.isEmpty, "seed \(seed)") }
    }
  }

  @Test("a mistake inside an object of a list is named with its place")
  func records() {
    let cases = [
      ("workload.classes=[{\"share\":0,\"lengths\":\"fixed\"}]", "workload.classes[0].share: 0 is not allowed"),
      ("workload.classes=[{\"share\":1}]", "workload.classes[0].lengths: missing"),
      ("workload.classes=[{\"share\":1,\"length\":\"fixed\"}]", "workload.classes[0].length: unknown key, did you mean \"lengths\"?"),
      (
        "workload.rate_schedule=[{\"at_seconds\":0,\"factor\":1},{\"at_seconds\":\"1\",\"factor\":1}]",
        "workload.rate_schedule[1].at_seconds:"
      ),
      ("workload.classes=[3]", "a list"), ("workload.bursts={}", "workload.bursts[0].at_seconds: missing"), ("workload.bursts=3", "a list"),
    ]
    for (override, message) in cases {
      do throws(ConfigurationError) {
        _ = try Configuration(overrides: ["workload.kind=classes", override])
        Issue.record("\(override) was accepted")
      } catch {
        #expect(error.description.contains(message), "\(error.description)")
      }
    }
  }
}
