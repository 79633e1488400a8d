import Ranks
import Testing

@Suite("Communicators")
struct CommunicatorContractTests {
  @Test("a single rank keeps the contract")
  func singleRank() throws {
    #expect(try checkCommunicator(SingleRank()) == [])
  }

  @Test("threads of one process keep the contract", arguments: 1...4)
  func inProcess(size: Int) throws {
    let violations = try InProcessWorld.run(size: size) { try checkCommunicator($0) }
    #expect(violations == Array(repeating: [], count: size))
  }

  @Test("different extents fail on every rank")
  func extents() {
    let outcomes = InProcessWorld.outcomes(size: 3) { ranks in
      var words = [UInt64](repeating: 0, count: ranks.rank == 2 ? 5 : 4)
      try ranks.bitwiseOr(&words)
    }
    #expect(outcomes.map(Self.code) == [.mismatch, .mismatch, .mismatch])
  }

  @Test("different operations fail on every rank and name both")
  func operations() throws {
    let outcomes = InProcessWorld.outcomes(size: 2) { ranks in
      if ranks.rank == 0 { try ranks.barrier() } else { _ = try ranks.gather([], root: 1) }
    }
    #expect(outcomes.map(Self.code) == [.mismatch, .mismatch])
    let error = try #require(Self.error(outcomes[1]))
    #expect(error.description == "rank 1: gather: rank 0 calls barrier, rank 1 calls gather on rank 1")
  }

  @Test("a rank that ends does not leave the others waiting")
  func lostRank() {
    struct Lost: Error {}
    let outcomes = InProcessWorld.outcomes(size: 3) { ranks in
      try ranks.barrier()
      if ranks.rank == 1 { throw Lost() }
      try ranks.barrier()
    }
    #expect(Self.code(outcomes[0]) == .rankLost)
    #expect(Self.code(outcomes[2]) == .rankLost)
    #expect(throws: Lost.self) { try outcomes[1].get() }
  }

  @Test("an abort ends the waiting of all")
  func abort() throws {
    let outcomes = InProcessWorld.outcomes(size: 3) { ranks in
      if ranks.rank == 2 { ranks.abort(code: 69) } else { try ranks.barrier() }
    }
    #expect(outcomes.map(Self.code) == [.aborted, .aborted, nil])
    #expect(try #require(Self.error(outcomes[0])).detail == "rank 2 aborted with code 69")
  }

  @Test("run reports every rank that failed")
  func failures() {
    struct Odd: Error {}
    do {
      _ = try InProcessWorld.run(size: 4) { ranks in
        if ranks.rank % 2 == 1 { throw Odd() }
      }
      Issue.record("no error")
    } catch {
      #expect((error as? InProcessFailure)?.failures.map(\.rank) == [1, 3])
    }
  }

  @Test("negative codes agree like others: the greatest wins")
  func negativeCodes() throws {
    let agreed = try InProcessWorld.run(size: 3) { try $0.agree(Int32(-1 - $0.rank)) }
    #expect(agreed == [-1, -1, -1])
  }

  @Test("many short rendezvous keep their order")
  func manyRounds() throws {
    let sums = try InProcessWorld.run(size: 4) { ranks in
      var sum: UInt64 = 0
      for round in 0..<2000 {
        var words = [UInt64](repeating: 0, count: 4)
        words[ranks.rank] = UInt64(round * 4 + ranks.rank)
        try ranks.bitwiseOr(&words)
        sum += words.reduce(0, +)
      }
      return sum
    }
    #expect(sums == Array(repeating: 31_996_000, count: 4))
  }

  private static func error<Value>(_ outcome: Result<Value, any Error>) -> RanksError? {
    if case .failure(let error) = outcome { error as? RanksError } else { nil }
  }

  private static func code<Value>(_ outcome: Result<Value, any Error>) -> RanksError.Code? { error(outcome)?.code }
}
