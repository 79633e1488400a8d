import Testing

@testable import RunConfig

@Suite("Configuration")
struct ConfigurationTests {
  private func parse(_ text: String, _ overrides: [String] = []) throws(ConfigurationError) -> Configuration {
    try Configuration(parsing: Array(text.utf8), name: "c.json", overrides: overrides)
  }

  /// The lines of the error; empty if there is none.
  private func complaints(_ text: String, _ overrides: [String] = []) -> [String] {
    do throws(ConfigurationError) {
      _ = try parse(text, overrides)
      return []
    } catch { return error.issues.map(\.description) }
  }

  @Test("an empty file is the default")
  func empty() throws {
    #expect(try parse("{}") == Configuration())
    try Configuration().validate()
  }

  @Test("a file changes what it names, an override has the last word")
  func layers() throws {
    let configuration = try parse(
      "{ // comment\n \"ppo\": {\"learning_rate\": 1, \"epochs\": 3}, \"workload\": {\"qps\": 3}, }",
      ["ppo.epochs=5", "network.mlp_hidden=32,16", "workload.kind=trace", "workload.trace=a b=c.csv", "reward.normalize=false"])
    #expect(configuration.ppo.learningRate == 1)
    #expect(configuration.ppo.epochs == 5)
    #expect(configuration.workload.qps == 3)
    #expect(configuration.network.mlpHidden == [32, 16])
    #expect(configuration.workload.kind == .trace)
    #expect(configuration.workload.trace == "a b=c.csv")
    #expect(!configuration.reward.normalize)
    #expect(try parse("{}", ["network.mlp_hidden=[8]"]).network.mlpHidden == [8])
  }

  @Test(
    "a mistake is named with file, line, key, value and what is allowed",
    arguments: [
      ("{\"ppo\": {\n\"learning_rat\": 1}}", "c.json:2: ppo.learning_rat: unknown key, did you mean \"ppo.learning_rate\"?"),
      ("{\"cluster\": {\"qps\": 1}}", "c.json:1: cluster.qps: unknown key, did you mean \"workload.qps\"?"),
      ("{\"ppo\": {\"xylophone_player\": 1}}", "c.json:1: ppo.xylophone_player: unknown key"),
      ("{\"pppo\": {}}", "c.json:1: pppo: unknown section, did you mean \"ppo\"?"),
      ("{\"ppo\": 3}", "c.json:1: ppo: the section is an integer, expected an object"),
      ("[]", "c.json: the configuration is a list, expected an object"),
      ("{\"ppo\": {\"epochs\": 2.0}}", "c.json:1: ppo.epochs: 2.0 is a number, expected an integer (allowed: 1 ... 1000)"),
      ("{\"ppo\": {\"epochs\": null}}", "c.json:1: ppo.epochs: null is null, expected an integer (allowed: 1 ... 1000)"),
      ("{\"ppo\": {\"epochs\": 0}}", "c.json:1: ppo.epochs: 0 is not allowed (allowed: 1 ... 1000)"),
      ("{\"ppo\": {\"clip_ratio\": 0}}", "c.json:1: ppo.clip_ratio: 0 is not allowed (allowed: 0 < x <= 10)"),
      ("{\"ppo\": {\"gamma\": \"x\"}}", "c.json:1: ppo.gamma: \"x\" is a string, expected a number (allowed: 0 <= x <= 1)"),
      ("{\"network\": {\"hidden\": 100}}", "c.json:1: network.hidden: 100 is not allowed (allowed: 16 ... 4096, a multiple of 16)"),
      ("{\"run\": {\"environment\": \"pong\"}}", "c.json:1: run.environment: \"pong\" is not allowed (allowed: routing, cartpole)"),
      (
        "{\"network\": {\"mlp_hidden\": []}}",
        "c.json:1: network.mlp_hidden: [] is not allowed (allowed: 1 to 8 integers, each 1 ... 4096)"
      ),
      ("{\"ppo\": {\"epochs\": 1 \"x\": 2}}", "c.json:1:22: unexpected '\"', expected ',' or '}'"),
    ])
  func mistakes(text: String, message: String) {
    #expect(complaints(text) == [message])
  }

  @Test("all mistakes are reported at once")
  func allMistakes() {
    let lines = complaints("{\"ppo\": {\"epochs\": 0, \"gama\": 1}, \"runs\": {}}", ["ppo.gamma", "ppo.gamma=2", "=3", "ppo.gamm=1"])
    #expect(
      lines == [
        "c.json:1: ppo.epochs: 0 is not allowed (allowed: 1 ... 1000)",
        "c.json:1: ppo.gama: unknown key, did you mean \"ppo.gamma\"?",
        "c.json:1: runs: unknown section, did you mean \"run\"?",
        "--set ppo.gamma: expected key.path=value",
        "--set ppo.gamma=2: ppo.gamma: 2 is not allowed (allowed: 0 <= x <= 1)",
        "--set =3: expected key.path=value",
        "--set ppo.gamm=1: ppo.gamm: unknown key, did you mean \"ppo.gamma\"?",
      ])
  }

  @Test(
    "values that exclude each other are refused",
    arguments: [
      (["workload.kind=trace"], "workload.trace"),
      (["workload.trace=x.csv"], "workload.trace"),
      (["workload.kind=trace", "workload.trace=x", "workload.from_seconds=5", "workload.to_seconds=5"], "workload.to_seconds"),
      (["workload.kind=uniform", "workload.uniform_min_tokens=5000"], "workload.uniform_min_tokens"),
      (["workload.kind=fixed", "workload.fixed_prefill_tokens=4096", "workload.over_limit=reject"], "workload.over_limit"),
      (["ppo.minibatch_size=1025"], "ppo.minibatch_size"),
      (["ppo.min_epochs=5"], "ppo.min_epochs"),
      (["run.num_envs=16", "run.chunk_size=15"], "run.chunk_size"),
      (["run.total_requests=7"], "run.total_requests"),
      (["update.shards=3"], "update.shards"),
      (["cluster.tensor_parallel=3"], "cluster.tensor_parallel"),
      (["cluster.model=microsoft/phi-2", "cluster.tensor_parallel=2"], "cluster.tensor_parallel"),
      (["cluster.pipeline_stages=4", "cluster.max_num_seqs=3"], "cluster.max_num_seqs"),
      (["cluster.replica_scheduler=vllm", "cluster.pipeline_stages=4", "cluster.batch_size_cap=3"], "cluster.batch_size_cap"),
      (["cluster.replica_scheduler=vllm", "cluster.max_tokens=4097"], "cluster.max_tokens_in_batch"),
      (["cluster.enable_chunked_prefill=false"], "cluster.max_num_batched_tokens"),
      (["cluster.replica_scheduler=lightllm"], "cluster.block_size"),
      (["cluster.replica_scheduler=lightllm", "cluster.block_size=1", "cluster.pipeline_stages=2"], "cluster.pipeline_stages"),
    ])
  func conflicts(overrides: [String], path: String) {
    do throws(ConfigurationError) {
      _ = try Configuration(overrides: overrides)
      Issue.record("accepted")
    } catch {
      #expect(error.issues.map(\.path) == [path])
      #expect(error.issues.map(\.code) == [.conflict])
    }
  }

  @Test("the other side of each limit is accepted")
  func limits() throws {
    for overrides in [
      ["ppo.minibatch_size=1024"], ["ppo.min_epochs=4"], ["run.num_envs=16", "run.chunk_size=16"], ["run.total_requests=8"],
      ["cluster.pipeline_stages=4", "cluster.batch_size_cap=4"], ["workload.kind=trace", "workload.trace=x", "workload.qps=0"],
      ["workload.kind=fixed", "workload.fixed_prefill_tokens=3584", "workload.over_limit=reject"],
      ["run.environment=cartpole", "workload.qps=0"], ["run.seed=9223372036854775807"],
    ] {
      _ = try Configuration(overrides: overrides)
    }
  }

  @Test("a configuration made in code is checked too")
  func madeInCode() {
    var configuration = Configuration()
    configuration.cluster.model = "gpt-9"
    configuration.ppo.gamma = .nan
    do throws(ConfigurationError) {
      try configuration.validate()
      Issue.record("accepted")
    } catch {
      #expect(error.issues.map(\.path) == ["cluster.model", "ppo.gamma"])
    }
  }

  @Test("the resolved form and the documented form read back as the same configuration")
  func resolved() throws {
    var configuration = Configuration()
    configuration.ppo.learningRate = 0.1 + 0.2
    configuration.network.mlpHidden = [1, 2, 3]
    configuration.workload.kind = .fixed
    #expect(try parse(configuration.resolvedText()) == configuration)
    #expect(try parse(configuration.documentedText()) == configuration)
    #expect(try JSONValue(parsing: configuration.resolvedText())["ppo"]?["learning_rate"]?.doubleValue == 0.1 + 0.2)
  }

  @Test("the canonical text holds the frozen keys, sorted, and nothing else")
  func canonical() throws {
    let text = Configuration().canonicalText()
    let lines = text.split(separator: "\n").map(String.init)
    #expect(lines.first == "configuration 1")
    #expect(Array(lines.dropFirst()) == lines.dropFirst().sorted())
    #expect(lines.contains("workload.kind=\"conversation\""))
    #expect(lines.contains("reward.clip=10.0"))
    for key in ["checkpoint.", "ppo.learning_rate", "run.total_requests", "workload.trace="] {
      #expect(!text.contains("\n" + key))
    }
    #expect(try parse("{\"reward\": {\"clip\": 10}}").canonicalText() == text)
    let wide = Configuration().canonicalText(of: [.frozen, .changeable])
    #expect(wide.contains("\nppo.learning_rate=0.0003\n"))
  }

  @Test("every frozen key changes the canonical text, every other leaves it")
  func canonicalCoversTheTable() {
    let base = Configuration()
    for field in Schema.fields {
      var changed = base
      field.write(&changed, Self.another(field))
      #expect(field.value(in: changed) != field.defaultValue, "\(field.path)")
      #expect((changed.canonicalText() != base.canonicalText()) == (field.difference == .frozen), "\(field.path)")
      #expect(changed.differences(fromRecorded: base.resolved()).map(\.path) == [field.path])
    }
  }

  @Test("differences are listed by class")
  func differences() throws {
    let recorded = Configuration()
    let present = try Configuration(overrides: [
      "run.total_requests=500000", "ppo.learning_rate=0.001", "cluster.num_replicas=8", "checkpoint.interval=100",
    ])
    let differences = present.differences(fromRecorded: recorded.resolved())
    #expect(differences.map(\.difference) == [.growing, .frozen, .changeable, .free])
    #expect(differences.map(\.isRefused) == [false, true, false, false])
    #expect(differences[1].description == "cluster.num_replicas: recorded 4, now 8 (frozen, refused)")
    #expect(recorded.differences(fromRecorded: present.resolved())[0].isRefused)
    #expect(present.differences(fromRecorded: recorded.resolved()) == differences)
  }

  @Test("records of other versions: a missing key had its default, a foreign key is refused")
  func otherVersions() throws {
    var record = Configuration().resolved()
    record["ppo"]?["gamma"] = nil
    #expect(Configuration().differences(fromRecorded: record).isEmpty)
    record["reward"]?["clip"] = 10
    #expect(Configuration().differences(fromRecorded: record).isEmpty)
    record["ppo"]?["kl_horizon"] = 3
    let differences = Configuration().differences(fromRecorded: record)
    #expect(differences.map(\.description) == ["ppo.kl_horizon: recorded 3, now nothing (frozen, refused)"])
  }

  @Test("Levenshtein's distance of known pairs")
  func distance() {
    #expect(Suggestion.distance("kitten", "sitting") == 3)
    #expect(Suggestion.distance("", "abc") == 3)
    #expect(Suggestion.distance("abc", "") == 3)
    #expect(Suggestion.distance("same", "same") == 0)
  }

  /// An allowed value other than the default.
  static func another(_ field: Field) -> JSONValue {
    switch field.kind {
    case .integer(let range, let multiple):
      let value = field.defaultValue.intValue ?? 0
      return .integer(range.contains(value + multiple) ? value + multiple : value - multiple)
    case .real(let range):
      let value = field.defaultValue.doubleValue ?? 0
      return .number(range.contains(value / 2) && value != 0 ? value / 2 : range.contains(value + 0.5) ? value + 0.5 : value - 0.5)
    case .boolean: return .boolean(!(field.defaultValue.boolValue ?? false))
    case .text: return "other"
    case .choice(let choices): return .string(choices.first { .string($0) != field.defaultValue } ?? "")
    case .integers: return [7]
    case .records(let keys, _): return [.object(keys.map { JSONMember($0.key, another($0)) })]
    }
  }

  /// An allowed value of a key inside an object.
  static func another(_ key: RecordKey) -> JSONValue {
    switch key.kind {
    case .integer(let range, _): .integer(range.contains(7) ? 7 : range.lowerBound)
    case .real(let range): .number(range.contains(0.5) ? 0.5 : range.upper)
    case .boolean: true
    case .text: "other"
    case .choice(let choices): .string(choices[choices.count - 1])
    case .integers: [7]
    case .records: []
    }
  }
}
