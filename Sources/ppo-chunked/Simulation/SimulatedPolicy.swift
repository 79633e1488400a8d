import Foundation
import RunConfig
import ServingEnv
import ServingSim
import Training

/// Who routes in a simulation.
enum SimulatedPolicy {
  /// A rule.
  case heuristic(HeuristicPolicy)
  /// A network out of a checkpoint.
  case trained(TrainedPolicy)
  /// The choices of an earlier run: the path of its requests.
  case replay(path: String)

  /// The policy called `name`: a rule, `replay:CSV`, or a checkpoint or run directory with or without `ckpt:` before it.
  init(name: String) throws(TrainingError) {
    if let heuristic = HeuristicPolicy(rawValue: name) {
      self = .heuristic(heuristic)
      return
    }
    if name == "replay:" || name == "ckpt:" { throw TrainingError(.usage, "--policy: \(name) needs a path behind it") }
    if name.hasPrefix("replay:") {
      self = .replay(path: String(name.dropFirst(7)))
      return
    }
    let path = name.hasPrefix("ckpt:") ? String(name.dropFirst(5)) : name
    guard name.hasPrefix("ckpt:") || FileManager.default.fileExists(atPath: path) else {
      let known = HeuristicPolicy.allCases.map(\.name).joined(separator: ", ")
      throw TrainingError(.usage, "--policy: \"\(name)\" is neither a checkpoint nor replay:CSV nor one of \(known)")
    }
    let trained = try TrainedPolicy(try CheckpointArgument(path: path).load())
    guard trained.configuration.run.environment == .routing else {
      throw TrainingError(.usage, "--policy: \(name) was trained in \(trained.configuration.run.environment.rawValue), it routes nothing")
    }
    self = .trained(trained)
  }

  /// The configuration it was trained with.
  var configuration: Configuration? { if case .trained(let trained) = self { trained.configuration } else { nil } }
}
