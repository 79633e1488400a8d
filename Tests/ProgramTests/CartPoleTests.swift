import Foundation
import RunConfig
import Testing

/// CartPole proves the learner: classic settings, and the threshold that the literature calls solved.
@Suite("Learning")
struct CartPoleTests {
  @Test("the mean return of the last 100 episodes reaches 475 within 500 000 steps", arguments: 1...5)
  func solves(seed: Int) throws {
    try ProgramRun.inTemporaryDirectory { directory in
      let run = directory + "/run"
      let result = try ProgramRun("train", "--config", "configs/cartpole.json", "--seed", "\(seed)", "--output-dir", run)
      #expect(result.code == 0, "\(result.errors)")
      let lines = try String(contentsOfFile: run + "/metrics/rollouts.jsonl", encoding: .utf8).split(separator: "\n")
      var episodes = 0
      var solvedAt: Int?
      for line in lines {
        let record = try JSONValue(parsing: String(line))
        episodes += record["episodes"]?.intValue ?? 0
        if solvedAt == nil, episodes >= 100, let mean = record["recent_return_mean"]?.doubleValue, mean >= 475 {
          solvedAt = record["step"]?.intValue
        }
      }
      #expect(solvedAt != nil, "seed \(seed) was not solved")
    }
  }
}
