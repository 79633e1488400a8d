import Ranks
import RunConfig
import Training

/// All ranks of a job as rank 0 sees them: whether they belong together, and whether they are placed well.
struct World {
  /// In rank order.
  let ranks: [RankFacts]

  /// The first exchange of a job: every rank tells its facts, and all end with 78 if they do not run the same program with the same options.
  ///
  /// - Returns: the world on rank 0, nil elsewhere.
  static func meet<C: Communicator>(_ communicator: C) throws(TrainingError) -> World? {
    let own = [UInt8](RankFacts.own().json.compactText().utf8)
    let messages: [[UInt8]]
    do throws(RanksError) {
      messages = try communicator.gather(own, root: 0)
    } catch {
      throw TrainingError(.ranksFailed, error.description)
    }
    return try communicator.agreeOnRankZero { () throws(TrainingError) in
      var ranks: [RankFacts] = []
      do throws(JSONError) {
        for message in messages { ranks.append(try RankFacts(message: message)) }
      } catch {
        throw TrainingError(.mismatch, "ranks run different programs: \(error)")
      }
      let world = World(ranks: ranks)
      if let disagreement = world.disagreement { throw TrainingError(.mismatch, disagreement) }
      return world
    }
  }

  /// Why the ranks do not belong together, nil if they do.
  var disagreement: String? {
    guard let first = ranks.first else { return nil }
    if let rank = ranks.firstIndex(where: { $0.version != first.version || $0.build != first.build }) {
      let other = ranks[rank]
      return
        "ranks run different programs: rank 0 on \(first.host) is version \(first.version) build \(first.build.prefix(16)), rank \(rank) on "
        + "\(other.host) is version \(other.version) build \(other.build.prefix(16)); install one build on all nodes"
    }
    if let rank = ranks.firstIndex(where: { $0.arguments != first.arguments }) {
      return
        "ranks were started with different options: rank 0 on \(first.host) with \"\(first.arguments.joined(separator: " "))\", rank \(rank) on "
        + "\(ranks[rank].host) with \"\(ranks[rank].arguments.joined(separator: " "))\""
    }
    return nil
  }

  /// Ranks of one host.
  struct Host: Equatable {
    let name: String
    let ranks: [RankFacts]

    /// Processors that its ranks may use together.
    var cpus: Int { Set(ranks.flatMap(\.allowedCPUs)).count }
    var online: Int { ranks.map(\.onlineCPUs).max() ?? 1 }
  }

  /// The hosts in the order of their first rank.
  var hosts: [Host] {
    var names: [String] = []
    for rank in ranks where !names.contains(rank.host) { names.append(rank.host) }
    return names.map { name in Host(name: name, ranks: ranks.filter { $0.host == name }) }
  }

  /// What a user should do about how the job was started; empty if all is well.
  var hints: [String] {
    var hints: [String] = []
    if ranks.count > 1, ranks.contains(where: { $0.user == 0 }) {
      hints.append("running as root: the run's files will be root's; start as an ordinary user except in containers")
    }
    for host in hosts where host.ranks.count > 1 && host.cpus > 0 && host.ranks.count > host.cpus {
      if host.ranks.count <= host.online {
        hints.append(
          "\(host.ranks.count) ranks on \(host.name) are bound to \(host.cpus) of its \(host.online) cores: mpirun --bind-to core --map-by core, or "
            + "--bind-to none; srun --cpus-per-task=1; a batch job must ask for a core a rank")
      } else {
        let idle = host.ranks.allSatisfy(\.yields) ? "" : "; set OMPI_MCA_mpi_yield_when_idle=1, or waiting ranks keep their core busy"
        hints.append(
          "\(host.ranks.count) ranks share \(host.cpus) cores of \(host.name): fewer ranks give the same result and are not slower\(idle)")
      }
    }
    return hints
  }
}
