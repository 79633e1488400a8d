import Testing
import Training

@Suite struct ChunkPlanTests {
  @Test("a total is sliced into chunks and every decision has one environment")
  func slices() {
    let plan = ChunkPlan(total: 103, chunkSize: 40, environmentCount: 8)
    #expect(plan.chunkDecisions == [40, 40, 23])
    #expect(plan.total == 103)
    for chunk in 1...3 {
      let shares = (0..<8).map { plan.decisions(ofChunk: chunk, environment: $0) }
      #expect(shares.reduce(0, +) == plan.chunkDecisions[chunk - 1])
      #expect(shares == shares.sorted(by: >))
      #expect(shares[0] - shares[7] <= 1)
    }
    #expect(plan.firstStep(ofChunk: 3) == 80)
    #expect(plan.lastStep(ofChunk: 3) == 103)
  }

  @Test("extending appends and never moves a recorded boundary")
  func extends() {
    var plan = ChunkPlan(total: 100, chunkSize: 30, environmentCount: 4)
    plan.extend(to: 150, chunkSize: 30)
    #expect(plan.chunkDecisions == [30, 30, 30, 10, 30, 20])
    plan.extend(to: 120, chunkSize: 30)
    #expect(plan.total == 150)
  }

  @Test("iterations use up every environment's share, none longer than a rollout, lengths differ by at most one")
  func iterations() {
    for (total, environments, length, stabilisation) in [(1000, 8, 32, 200), (7, 8, 4, 0), (999, 3, 128, 10), (50, 4, 128, 200)] {
      let plan = ChunkPlan(total: total, chunkSize: total, environmentCount: environments)
      let iterations = IterationPlan(plan: plan, chunk: 1, rolloutLength: length, stabilisationDecisions: stabilisation)
      for environment in 0..<environments {
        let shares = (0..<iterations.count).map { iterations.share(iteration: $0, environment: environment) }
        #expect(shares.reduce(0, +) == plan.decisions(ofChunk: 1, environment: environment))
        let policy = shares.dropFirst(stabilisation > 0 ? 1 : 0)
        #expect(policy.allSatisfy { $0 <= length })
        #expect((policy.max() ?? 0) - (policy.min() ?? 0) <= 1)
        if stabilisation > 0 {
          #expect(shares[0] == min((stabilisation + environments - 1) / environments, plan.decisions(ofChunk: 1, environment: environment)))
        }
      }
      #expect(iterations.isStabilisation(0) == (stabilisation > 0))
    }
  }
}
