import ServingEnv
import ServingSim

/// A variant of the task in which demonstrations are collected: balanced load at several rates, and loads that are not balanced.
public struct DemonstrationScenario: Equatable, Sendable {
  /// Name in files and reports.
  public let name: String
  /// Arrival rate over the configured one.
  public let rateFactor: Double
  /// Requests that one replica holds when an episode begins.
  public let burstRequests: Int
  /// Speed of one replica over its own; each episode slows the next replica.
  public let slowFactor: Double

  /// All scenarios, in the order of a file.
  public static let table: [DemonstrationScenario] = [
    DemonstrationScenario(name: "rate_0.5", rateFactor: 0.5, burstRequests: 0, slowFactor: 1),
    DemonstrationScenario(name: "rate_1", rateFactor: 1, burstRequests: 0, slowFactor: 1),
    DemonstrationScenario(name: "rate_2", rateFactor: 2, burstRequests: 0, slowFactor: 1),
    DemonstrationScenario(name: "burst_8", rateFactor: 1, burstRequests: 8, slowFactor: 1),
    DemonstrationScenario(name: "slow_replica", rateFactor: 1, burstRequests: 0, slowFactor: 0.5),
  ]

  /// The task with this scenario's cluster and arrival rate.
  ///
  /// - Parameter replica: the one that is slowed, if the scenario slows one.
  func applied(to configuration: RoutingConfiguration, slowing replica: Int) -> RoutingConfiguration {
    var changed = configuration
    if slowFactor != 1 { changed.cluster.replicas[replica].speedFactor *= slowFactor }
    guard rateFactor != 1 else { return changed }
    switch configuration.workload.source {
    case .synthetic(var synthetic):
      if case .recorded(let replay) = synthetic.intervals {
        synthetic.intervals = .recorded(faster(replay))
      } else {
        synthetic.qps *= rateFactor
      }
      changed.workload.source = .synthetic(synthetic)
    case .trace(let replay): changed.workload.source = .trace(faster(replay))
    }
    return changed
  }

  private func faster(_ replay: WorkloadConfiguration.Replay) -> WorkloadConfiguration.Replay {
    var replay = replay
    if let qps = replay.qps { replay.qps = qps * rateFactor } else { replay.scale.time /= rateFactor }
    return replay
  }
}
