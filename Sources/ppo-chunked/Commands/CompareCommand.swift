import ArgumentParser
import Foundation
import RunConfig
import ServingEnv
import Training

/// The same held-out workload for several policies.
struct CompareCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "compare", abstract: "Serves the same held-out requests with several policies and prints a table.",
    discussion: """
      Policies: ckpt:PATH (a checkpoint, or a run directory for its newest one; its likeliest action), sample:PATH (the same, with actions drawn as
      in training), random, round_robin, lor, lor_full, lot. Without --config the cluster and the workload are those the first checkpoint was
      trained with; the other options change them for all policies alike.
      """)

  @OptionGroup var options: ConfigurationOptions
  @Option(help: "Comma-separated policies.")
  var policies = "random,round_robin,lor,lor_full,lot"
  @Option(help: "Independent workloads per policy.")
  var seeds = 3
  @Option(help: "Requests of one workload.")
  var requests = 2000
  @Option(help: "Seed of the held-out workloads.")
  var evaluationSeed = 1_000_003
  @Option(help: "Policy that changes are against; default lor_full if it is compared, otherwise the first.")
  var reference: String?
  @Flag(help: "Print as JSON.")
  var json = false
  @Flag(help: "Print as Markdown.")
  var markdown = false

  func validate() throws {
    if seeds < 1 { throw ValidationError("--seeds is \(seeds), allowed 1 or more") }
    if policies.split(separator: ",").isEmpty { throw ValidationError("--policies names no policy") }
    if evaluationSeed < 0 { throw ValidationError("--evaluation-seed is \(evaluationSeed), allowed 0 or more") }
    if json && markdown { throw ValidationError("--json and --markdown exclude each other") }
    if requests < 1 { throw ValidationError("--requests is \(requests), allowed 1 or more") }
  }

  func run() throws {
    let compared = try policies.split(separator: ",").map { try policy(String($0)) }
    let base = compared.lazy.compactMap { $0.policy.network?.configuration }.first
    let configuration = try options.load(over: base)
    let names = compared.map(\.name)
    let reference = reference ?? (names.contains("lor_full") ? "lor_full" : names[0])
    guard let place = names.firstIndex(of: reference) else {
      throw TrainingError(.usage, "--reference: \"\(reference)\" is not among --policies")
    }
    func serve(_ policy: ComparedPolicy, _ environment: RoutingEnvironment) -> [EvaluationResult] {
      (0..<seeds).map { environment.evaluate(policy, seed: UInt64(evaluationSeed), index: $0, requests: requests) }
    }
    let results = try compared.map { name, policy in serve(policy, try environment(for: policy, name: name, configuration)) }
    let baseline = serve(
      .heuristic(.lorFull), try environment(for: .heuristic(.lorFull), name: "lor_full", configuration))
    let comparison = Comparison(
      names: names, results: results, reference: place, baseline: baseline, objective: LatencyObjective(configuration.objective),
      seed: UInt64(evaluationSeed))
    let text = ComparisonText(comparison: comparison, seeds: seeds, requests: requests, evaluationSeed: evaluationSeed)
    if json {
      Console.write(text.json.text())
    } else {
      for line in markdown ? text.markdown : text.lines { Console.write(line) }
    }
    if comparison.rows.contains(where: { $0.summary.unserved > 0 }) {
      throw TrainingError(.badData, "some requests could not be served, so the policies were not compared on the same ones")
    }
  }

  private func policy(_ name: String) throws -> (name: String, policy: ComparedPolicy) {
    if let prefix = ["ckpt:", "sample:"].first(where: name.hasPrefix) {
      let trained = try TrainedPolicy(try CheckpointArgument(path: String(name.dropFirst(prefix.count))).load())
      guard trained.configuration.run.environment == .routing else {
        throw TrainingError(
          .usage, "--policies: \(name) was trained in \(trained.configuration.run.environment.rawValue), it routes nothing")
      }
      return (name, prefix == "ckpt:" ? .trained(trained) : .sampled(trained))
    }
    guard let heuristic = HeuristicPolicy(rawValue: name) else {
      let known = HeuristicPolicy.allCases.map(\.name).joined(separator: ", ")
      throw TrainingError(.usage, "--policies: \"\(name)\" is neither ckpt:PATH, sample:PATH nor one of \(known)")
    }
    return (name, .heuristic(heuristic))
  }

  /// A trained policy sees what it was trained to see, on the cluster and workload of the comparison.
  private func environment(
    for policy: ComparedPolicy, name: String, _ configuration: Configuration
  ) throws -> RoutingEnvironment {
    var own = configuration
    if let trained = policy.network { own.observation = trained.configuration.observation }
    let environment = try RunInputs.readFiles(own).routingEnvironment()
    if let trained = policy.network,
      trained.model.fitted(observationSize: environment.observationSize, actionCount: environment.actionCount) == nil
    {
      throw TrainingError(
        .mismatch,
        "\(name) was trained for \(trained.shape.observationSize) observed values and \(trained.shape.actionCount) replicas; this comparison has "
          + "\(environment.observationSize) and \(environment.actionCount)")
    }
    return environment.forEvaluation
  }
}
