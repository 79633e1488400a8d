import ServingSim
import Testing

@testable import ServingEnv

@Suite struct HeuristicPolicyTests {
  /// Three stalled replicas that take one request at a time, and the choice of each rule for a request that arrives at 9 s.
  private func choice(_ policy: HeuristicPolicy, _ placed: [(prefill: Int, decode: Int, replica: Int)]) throws -> Int {
    var cluster = try Fixtures.stalledCluster(replicas: 3)
    let requests = placed.enumerated().map { (Double($0.offset) * 0.1, $0.element.prefill, $0.element.decode, 1.0, $0.element.replica) }
    _ = Fixtures.place(requests + [(9, 10, 10, 1, 0)], in: &cluster)
    var router = policy.router(seed: 1, chunk: 1, environment: 0)
    return router.choose(cluster: cluster)
  }

  @Test("an idle cluster: every looking rule takes replica 0")
  func idle() throws {
    for policy in [HeuristicPolicy.lor, .lorFull, .leastOutstandingTokens] { #expect(try choice(policy, []) == 0) }
  }

  @Test("lor counts waiting requests only: a running one is invisible to it")
  func waiting() throws {
    #expect(try choice(.lor, [(100, 10, 0)]) == 0)
    #expect(try choice(.lorFull, [(100, 10, 0)]) == 1)
    // Replica 0: one runs, one waits. Replicas 1 and 2: one runs.
    let placed = [(100, 10, 0), (100, 10, 0), (100, 10, 1), (100, 10, 2)]
    #expect(try choice(.lor, placed) == 1)
    #expect(try choice(.lorFull, placed) == 1)
  }

  @Test("lot weighs tokens: one long request outweighs two short ones")
  func tokens() throws {
    let placed = [(1000, 100, 0), (50, 10, 1), (50, 10, 1), (400, 100, 2)]
    #expect(try choice(.leastOutstandingTokens, placed) == 1)
    #expect(try choice(.lorFull, placed) == 0)
  }

  @Test("round robin takes replicas in turn")
  func roundRobin() throws {
    let cluster = try Fixtures.stalledCluster(replicas: 3)
    var router = HeuristicPolicy.roundRobin.router(seed: 1, chunk: 1, environment: 0)
    let choices = (0..<7).map { _ in router.choose(cluster: cluster) }
    #expect(choices == [0, 1, 2, 0, 1, 2, 0])
  }

  @Test("random choices repeat under the same name, differ under another and are even")
  func random() throws {
    let cluster = try Fixtures.stalledCluster(replicas: 3)
    func choices(_ environment: Int) -> [Int] {
      var router = HeuristicPolicy.random.router(seed: 1, chunk: 1, environment: environment)
      return (0..<3000).map { _ in router.choose(cluster: cluster) }
    }
    let first = choices(0)
    #expect(first == choices(0))
    #expect(first != choices(1))
    for replica in 0..<3 { #expect(abs(first.count { $0 == replica } - 1000) < 120) }
  }

  @Test("names are those of configurations and reports")
  func names() {
    #expect(HeuristicPolicy.allCases.map(\.name) == ["random", "round_robin", "lor", "lor_full", "lot"])
    #expect(HeuristicPolicy(rawValue: "lor_full") == .lorFull)
  }
}
