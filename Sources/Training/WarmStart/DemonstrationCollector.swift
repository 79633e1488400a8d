import Environments
import PPO
import Randomness
import RunConfig
import ServingEnv
import ServingSim

/// Collects demonstrations in the routing task: behaviour policies act, the teacher labels every decision.
///
/// The result is a function of configuration, trace and seed. Every episode has a workload of its own.
public struct DemonstrationCollector {
  /// Chunk under which the workloads are drawn. Training draws under 1 and up, evaluation under 0.
  static let chunk = Int(UInt32.max)

  private let routing: RoutingConfiguration
  private let seed: UInt64
  private let teacher: HeuristicPolicy
  private let behaviours: [(name: String, policy: HeuristicPolicy)]
  private let settings: WarmStartSection

  /// - Parameter routing: the task of `configuration`, its trace included.
  /// - Precondition: `configuration` is valid.
  public init(_ configuration: Configuration, routing: RoutingConfiguration) {
    self.routing = routing
    seed = UInt64(configuration.run.seed)
    settings = configuration.warmstart
    let teacher = Self.rule(settings.teacher)
    self.teacher = teacher
    behaviours = settings.behaviourList.map { name in
      guard let policy = name == "teacher" ? teacher : HeuristicPolicy(rawValue: name) else {
        preconditionFailure("a valid configuration names known policies")
      }
      return (name, policy)
    }
  }

  /// Runs all episodes.
  ///
  /// - Parameter shouldStop: asked before each episode.
  /// - Returns: the demonstrations; nil if it was asked to stop.
  /// - Throws: `TrainingError` with `.usage` if a scenario of the task cannot run.
  public func collect(shouldStop: () -> Bool = { false }) throws(TrainingError) -> Demonstrations? {
    let scenarios = DemonstrationScenario.table
    var demonstrations: Demonstrations?
    var number = 0
    for (policy, behaviour) in behaviours.enumerated() {
      for (index, scenario) in scenarios.enumerated() {
        let environments = try self.environments(of: scenario)
        var collected =
          demonstrations
          ?? Demonstrations(
            observationSize: environments[0].observationSize, actionCount: environments[0].actionCount, policies: behaviours.map(\.name),
            scenarios: scenarios.map(\.name))
        demonstrations = nil
        for e in 0..<settings.episodes {
          if shouldStop() { return nil }
          collected.beginEpisode(policy: policy, scenario: index)
          var environment = environments[e % environments.count]
          episode(number, scenario, behaviour.policy, &environment, &collected)
          number += 1
        }
        demonstrations = collected
      }
    }
    return demonstrations
  }

  /// What a file of these demonstrations says about them.
  ///
  /// - Parameter names: of the observation's entries.
  public func origin(_ configuration: Configuration, names: [String], programVersion: String) -> DemonstrationOrigin {
    DemonstrationOrigin(
      observationNames: RunRecord.digest(of: names), teacher: teacher.name, labelSmoothing: settings.labelSmoothing,
      seed: configuration.run.seed, configuration: configuration.resolvedText(), programVersion: programVersion)
  }

  /// The scenario's task, once, or for each replica that it slows.
  private func environments(of scenario: DemonstrationScenario) throws(TrainingError) -> [RoutingEnvironment] {
    var environments: [RoutingEnvironment] = []
    for replica in 0..<(scenario.slowFactor == 1 ? 1 : routing.cluster.replicaCount) {
      do throws(ServingError) {
        environments.append(try RoutingEnvironment(scenario.applied(to: routing, slowing: replica)))
      } catch {
        throw TrainingError(.usage, "scenario \(scenario.name): \(error)")
      }
    }
    return environments
  }

  private func episode(
    _ number: Int, _ scenario: DemonstrationScenario, _ behaviour: HeuristicPolicy, _ environment: inout RoutingEnvironment,
    _ demonstrations: inout Demonstrations
  ) {
    var burden: ReplicaBurden?
    if scenario.burstRequests > 0 {
      var stream = RandomStream(seed: seed, purpose: .scenario, chunk: Self.chunk, environment: number)
      burden = ReplicaBurden(requests: scenario.burstRequests, replica: stream.bounded(environment.actionCount))
    }
    environment.reset(seed: seed, chunk: Self.chunk, environment: number, burden: burden)
    var router = behaviour.router(seed: seed, chunk: Self.chunk, environment: number)
    var observation = [Float](repeating: 0, count: environment.observationSize)
    var mask = [UInt8](repeating: 1, count: environment.actionCount)
    var best = mask
    for _ in 0..<settings.episodeDecisions {
      var observationSpan = observation.mutableSpan
      environment.observe(into: &observationSpan)
      var maskSpan = mask.mutableSpan
      environment.actionMask(into: &maskSpan)
      teacher.markBest(cluster: environment.cluster, mask: mask, best: &best)
      let action = router.choose(cluster: environment.cluster)
      demonstrations.append(
        observation: observation, mask: mask, action: action,
        target: Demonstrations.softTarget(best: best, mask: mask, smoothing: settings.labelSmoothing))
      _ = environment.step(action)
    }
  }

  private static func rule(_ teacher: WarmStartTeacher) -> HeuristicPolicy {
    switch teacher {
    case .lor: .lor
    case .lorFull: .lorFull
    case .lot: .leastOutstandingTokens
    }
  }
}
