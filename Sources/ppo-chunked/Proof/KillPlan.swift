import Randomness

/// What is done to one killed run: drawn from a seed, so that a proof can be repeated.
struct KillPlan: Equatable {
  /// One kill.
  struct Kill: Equatable {
    /// Ranks of the job that is killed.
    let ranks: Int
    /// The process that is killed.
    let victim: ChildJob.Victim
    /// The job is killed once this step is durable.
    var step: Int
    /// Part of the time between two saves that it still gets, so that a kill can land anywhere, also inside a save.
    let delay: Double
  }

  /// By step.
  private(set) var kills: [Kill]
  /// Ranks of the job that ends the run.
  let lastRanks: Int

  /// - Parameters:
  ///   - run: number of the killed run.
  ///   - counts: numbers of ranks to choose from.
  ///   - total: decisions of the run.
  init(seed: UInt64, run: Int, counts: [Int], total: Int) {
    var stream = RandomStream(seed: seed, purpose: .kill, index: run)
    kills = (0..<(1 + stream.bounded(3))).map { _ in
      let ranks = counts[stream.bounded(counts.count)]
      let choice = stream.bounded(3)
      let victim: ChildJob.Victim =
        choice == 0 || ranks == 1 ? .launcher : choice == 1 ? .rank(0) : .rank(1 + stream.bounded(ranks - 1))
      return Kill(ranks: ranks, victim: victim, step: Int(Double(total) * stream.uniform()), delay: stream.uniform())
    }
    kills.sort { $0.step < $1.step }
    lastRanks = counts[stream.bounded(counts.count)]
  }

  /// The same kills, each at three quarters of its step: for a run that ended before its last kill.
  var earlier: KillPlan {
    var plan = self
    for index in kills.indices { plan.kills[index].step = kills[index].step * 3 / 4 }
    return plan
  }

  /// Ranks and victims in a few words.
  var description: String {
    kills.map { kill in
      let victim: String =
        switch kill.victim {
        case .launcher: kill.ranks == 1 ? "it" : "mpirun"
        case .rank(let rank): "rank \(rank)"
        }
      return "\(victim) of \(kill.ranks)"
    }.joined(separator: ", ")
  }
}
