import RunConfig
import ServingEnv
import ServingSim
import Testing

@testable import Training

@Suite("Evaluation")
struct EvaluationTests {
  @Test("an evaluation serves as many requests as it says, whatever fails at its end", arguments: HeuristicPolicy.allCases)
  func outage(policy: HeuristicPolicy) throws {
    let changes = [(2, "fail"), (40, "recover")].flatMap { time, change in
      (0..<2).map { "{\"at_seconds\":\(time),\"replica\":\($0),\"change\":\"\(change)\"}" }
    }
    let configuration = try Configuration(
      overrides: ["cluster.num_replicas=2", "cluster.availability=[\(changes.joined(separator: ","))]"])
    let environment = try RoutingEnvironment(RoutingConfiguration(configuration, files: [])).forEvaluation
    let result = environment.evaluate(.heuristic(policy), seed: 1, index: 0, requests: 60)
    #expect(result.isComplete && result.ids == Array(0..<60) && result.requestCount == 60)
    // The outage did come in the middle of the workload: the last ones wait until it is over.
    #expect(result.endToEnd.max() ?? 0 > 30)
  }
}
