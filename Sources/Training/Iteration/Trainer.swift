import Environments
import Neural
import PPO
import Ranks

/// The training loop of one rank: the same on all of them, but for the update, which is rank 0's.
///
/// Invariants at a boundary (between two calls of `iterate`): every rank has the same parameters, statistics and counters; rank 0 also has the moments
/// and `boundary`, the complete state; slots are empty.
final class Trainer<E: Environment, C: Communicator> {
  let communicator: C
  let settings: TrainingSettings
  let network: Network
  /// Grows when a run is extended.
  let plan: ChunkPlan
  /// Decisions of the plan at the first start: what schedules stretch over.
  let planTotalAtStart: Int
  private(set) var global: GlobalState
  /// The complete state at the last boundary; rank 0 only.
  private(set) var boundary: BoundaryState?
  var collector: RolloutCollector<E>
  var slots: SyncSlots
  /// Weight of the divergence from the reference policy.
  let referenceKL: ReferenceKLSchedule?
  /// Rank 0 only.
  var learner: PPOLearner?
  /// Held-out workloads, nil if the run evaluates never.
  let evaluation: PeriodicEvaluation?
  /// A failure of this rank that the others learn of at the next exchange.
  var pendingFailure: TrainingError?

  var isRoot: Bool { communicator.rank == 0 }

  /// - Parameters:
  ///   - state: the boundary to begin at; the environments of a chunk in progress are brought there by `restore`.
  init(
    communicator: C, settings: TrainingSettings, network: Network, ppo: PPOConfiguration, prototype: E, plan: ChunkPlan,
    planTotalAtStart: Int, state: BoundaryState, evaluation: PeriodicEvaluation? = nil
  ) {
    self.communicator = communicator
    self.settings = settings
    self.network = network
    self.plan = plan
    self.planTotalAtStart = planTotalAtStart
    self.evaluation = evaluation
    global = state.global
    let own = RolloutCollector<E>.environments(
      of: communicator.rank, worldSize: communicator.size, environmentCount: settings.environmentCount)
    collector = RolloutCollector(
      settings: settings, network: network, prototype: prototype, environments: own, hasReference: state.global.reference != nil)
    slots = SyncSlots(
      environmentCount: settings.environmentCount, shape: StatisticsShape(network), worldSize: communicator.size)
    referenceKL = ppo.referenceKL
    if communicator.rank == 0 {
      boundary = state
      learner = PPOLearner(network, configuration: ppo, state: state.global.learner)
    }
  }

  /// Iterations of `chunk`. Only the first chunk of a run begins with stabilisation, and only if nothing gave the run statistics.
  func iterationPlan(_ chunk: Int) -> IterationPlan {
    IterationPlan(
      plan: plan, chunk: chunk, rolloutLength: settings.rolloutLength,
      stabilisationDecisions: chunk == 1 && !global.beganWithStatistics ? settings.stabilisationDecisions : 0)
  }

  /// Brings this rank's environments to the boundary inside a chunk by replaying their actions.
  ///
  /// - Parameter stopRequested: polled per environment and iteration; it also keeps the lock alive.
  /// - Returns: the reason why this rank left the replay before its end, nil if it did not.
  func restore(_ state: BoundaryState, stopRequested: () -> StopReason?) throws(TrainingError) -> StopReason? {
    guard !state.global.chunkComplete else { return nil }
    let iterations = iterationPlan(state.global.chunk)
    guard state.global.iteration < iterations.count else {
      throw TrainingError(.badData, "chunk \(state.global.chunk) has \(iterations.count) iterations, not \(state.global.iteration + 1)")
    }
    for i in collector.runners.indices {
      let environment = collector.runners[i].index
      let shares = (0..<state.global.iteration).map { iterations.share(iteration: $0, environment: environment) }
      let recorded = state.environments[environment]
      guard recorded.actions.count == shares.reduce(0, +), recorded.digests.count == shares.count else {
        throw TrainingError(
          .badData,
          "environment \(environment): the log holds \(recorded.actions.count) actions and \(recorded.digests.count) digests, expected "
            + "\(shares.reduce(0, +)) and \(shares.count)")
      }
      let reason = try collector.runners[i].replay(
        seed: settings.seed, chunk: state.global.chunk, recorded: recorded, shares: shares, discount: settings.gamma,
        stopRequested: stopRequested)
      if let reason { return reason }
    }
    return nil
  }

  /// Resets everything per environment and enters `chunk`.
  func beginChunk(_ chunk: Int) {
    collector.beginChunk(chunk)
    global.chunk = chunk
    global.chunkComplete = false
    global.iteration = 0
    clearEnvironments()
  }

  /// Leaves the chunk.
  func endChunk() {
    global.chunkComplete = true
    global.iteration = 0
    clearEnvironments()
  }

  /// Moves to the next boundary.
  func advance(_ change: (inout GlobalState) -> Void) { change(&global) }

  /// Rank 0 takes over what the environments did in an iteration and owns the new boundary.
  func formBoundary(_ contributions: [EnvironmentContribution]) {
    guard var state = boundary else { return }
    for (environment, contribution) in contributions.enumerated() {
      state.environments[environment].actions.append(contentsOf: contribution.actions)
      state.environments[environment].digests.append(contribution.digest)
      state.environments[environment].policyState = contribution.policyState
      state.environments[environment].discountedReturn = contribution.discountedReturn
      state.environments[environment].referenceState = contribution.referenceState
      state.environments[environment].temperature = contribution.temperature
    }
    state.global = global
    boundary = state
  }

  /// Nothing per environment crosses a chunk boundary.
  private func clearEnvironments() {
    guard var state = boundary else { return }
    state.global = global
    let empty = EnvironmentState.empty(
      stateSize: network.stateSize, hasReference: global.reference != nil, hasTemperature: collector.hasTemperature)
    state.environments = [EnvironmentState](repeating: empty, count: settings.environmentCount)
    boundary = state
  }
}
