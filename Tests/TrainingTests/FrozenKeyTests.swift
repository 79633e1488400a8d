import RunConfig
import Testing

@testable import Training

/// Rule 16: every key that is frozen, one after the other.
@Suite("Frozen keys")
struct FrozenKeyTests {
  /// Other values of a key, as overrides write them.
  private static func candidates(_ field: Field, _ value: JSONValue) -> [String] {
    switch field.kind {
    case .integer(_, let multiple):
      let number = value.intValue ?? 0
      return [number + multiple, number * 2, number - multiple, 1, 2, 4096].map(String.init)
    case .real:
      let number = value.doubleValue ?? 0
      return ["\(number * 1.25)", "\(number * 0.75)", "\(number + 0.25)"]
    case .boolean: return ["\(!(value.boolValue ?? false))"]
    case .choice(let choices): return choices
    case .integers: return ["[32]"]
    case .text: return ["random"]
    case .records(let keys, _):
      let members = keys.filter { $0.absent == nil }.map { JSONMember($0.key, example($0.kind)) }
      return [JSONValue.array([.object(members)]).compactText()]
    }
  }

  /// Some allowed value.
  private static func example(_ kind: FieldKind) -> JSONValue {
    switch kind {
    case .integer(let range, _): .integer(range.lowerBound)
    case .real(let range): .number(range.contains(0.5) ? 0.5 : range.upper)
    case .boolean: true
    case .choice(let choices): .string(choices[0])
    case .text: "other"
    case .integers, .records: []
    }
  }

  /// What must change with a key for its other values to be allowed.
  private static func companions(_ path: String) -> [String] {
    switch path {
    case "workload.classes": ["workload.kind=classes"]
    case "cluster.replicas": ["cluster.num_replicas=1"]
    default: []
    }
  }

  @Test(
    "16: a run refuses every frozen key that changed, by name, with exit 78",
    arguments: Schema.fields.filter { $0.difference == .frozen }.map(\.path))
  func refused(path: String) throws {
    let field = try #require(Schema.field(path))
    // What has an effect only with a trace, with other lengths or in the other task is frozen all the same.
    let original = try TrainingHarness()
    #expect(try original.run(ranks: 1, stop: StopAfter(polls: 150)) == .success(.stopped))
    let before = original.files.allNames
    let value = field.value(in: original.configuration)
    var tried = 0
    for candidate in Self.candidates(field, value) where value != .string(candidate) {
      guard var changed = try? TrainingHarness(["\(path)=\(candidate)"] + Self.companions(path)),
        field.value(in: changed.configuration) != value
      else { continue }
      if changed.configuration.run.environment == .routing, (try? changed.routing()) == nil { continue }
      changed = TrainingHarness(original, configuration: changed.configuration)
      guard case .failure(let error) = try changed.run(ranks: 2) else {
        Issue.record("\(path)=\(candidate) was accepted")
        continue
      }
      #expect(error.code == .mismatch, "\(path)=\(candidate): \(error.code) \(error.message)")
      #expect(error.message.contains(path), "\(path)=\(candidate): \(error.message)")
      #expect(changed.files.allNames == before)
      tried += 1
      break
    }
    #expect(tried == 1, "no other valid value of \(path)")
  }
}
