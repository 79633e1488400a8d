/// The iterations of one chunk: how many decisions every environment makes in each.
///
/// K = ceil(n_max / rolloutLength) iterations of equal length, give or take one. The first chunk of a fresh run begins with one more, in which
/// statistics stabilise under uniform actions: ceil(N / E) decisions per environment, no policy, no update.
public struct IterationPlan: Equatable, Sendable {
  /// Decisions of environment e in the stabilisation, empty when there is none.
  private let stabilisation: [Int]
  /// Decisions of environment e that the policy makes.
  private let remaining: [Int]
  private let policyIterations: Int

  /// - Parameters:
  ///   - rolloutLength: most decisions of an environment between two updates.
  ///   - stabilisationDecisions: N of the first chunk of a fresh run, 0 for every other chunk.
  public init(plan: ChunkPlan, chunk: Int, rolloutLength: Int, stabilisationDecisions: Int) {
    precondition(rolloutLength >= 1, "a rollout holds at least one decision")
    let shares = (0..<plan.environmentCount).map { plan.decisions(ofChunk: chunk, environment: $0) }
    let each = (stabilisationDecisions + plan.environmentCount - 1) / plan.environmentCount
    stabilisation = stabilisationDecisions > 0 ? shares.map { min($0, each) } : []
    remaining = stabilisation.isEmpty ? shares : zip(shares, stabilisation).map { $0 - $1 }
    policyIterations = ((remaining.max() ?? 0) + rolloutLength - 1) / rolloutLength
  }

  /// Iterations of the chunk, the stabilising one included.
  public var count: Int { policyIterations + (stabilisation.isEmpty ? 0 : 1) }

  /// Whether `iteration` (0-based) only gathers statistics.
  public func isStabilisation(_ iteration: Int) -> Bool { !stabilisation.isEmpty && iteration == 0 }

  /// Decisions that `environment` makes in `iteration`.
  public func share(iteration: Int, environment: Int) -> Int {
    if isStabilisation(iteration) { return stabilisation[environment] }
    let k = iteration - (stabilisation.isEmpty ? 0 : 1)
    let decisions = remaining[environment]
    return (k + 1) * decisions / policyIterations - k * decisions / policyIterations
  }
}
