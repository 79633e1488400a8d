import Neural

/// Runs a network through whole demonstrated episodes, as it would run while acting.
///
/// Keeps the logits of every sample, and the recurrent state before it.
struct EpisodePass {
  private let network: Network
  private let demonstrations: Demonstrations
  /// Normalised `[N, D]`.
  let observations: [Float]
  /// Before each sample `[N, S]`, of the last run.
  private(set) var states: [Float]
  /// Raw `[N, A]`, of the last run.
  private(set) var logits: [Float]
  /// Behaviour policy of each sample.
  private let policies: [UInt16]
  /// Episodes, the longest first.
  private let ranked: [Demonstrations.Episode]
  private let activations: Activations
  // Of a group of episodes at one moment
  private var inputs: [Float]
  private var before: [Float]
  private var after: [Float]
  private var rowLogits: [Float]
  private var masks: [UInt8]

  /// Episodes that run side by side.
  private static let groupSize = 64

  init(_ network: Network, demonstrations: Demonstrations, frozen: FrozenStatistics) {
    let (N, D, A, S) = (demonstrations.count, network.observationSize, network.actionCount, network.stateSize)
    self.network = network
    self.demonstrations = demonstrations
    var normalised = [Float](repeating: 0, count: N * D)
    for sample in 0..<N {
      frozen.normalise(demonstrations.observations.span.extracting((sample * D)..<((sample + 1) * D)), into: &normalised, at: sample * D)
    }
    observations = normalised
    states = [Float](repeating: 0, count: N * S)
    logits = [Float](repeating: 0, count: N * A)
    policies = demonstrations.episodes.flatMap { [UInt16](repeating: UInt16($0.policy), count: $0.count) }
    ranked = demonstrations.episodes.sorted { ($1.count, $0.start) < ($0.count, $1.start) }
    let rows = min(Self.groupSize, max(demonstrations.episodes.count, 1))
    activations = network.makeActivations(rows: rows)
    inputs = [Float](repeating: 0, count: rows * D)
    before = [Float](repeating: 0, count: rows * S)
    after = before
    rowLogits = [Float](repeating: 0, count: rows * A)
    masks = [UInt8](repeating: 1, count: rows * A)
  }

  /// Behaviour policy of a sample.
  func policy(ofSample sample: Int) -> Int { Int(policies[sample]) }

  /// Runs all episodes with `parameters`; false if it was asked to stop.
  mutating func run(_ parameters: [Float], shouldStop: () -> Bool) -> Bool {
    var first = 0
    while first < ranked.count {
      if shouldStop() { return false }
      let last = min(first + Self.groupSize, ranked.count)
      run(group: ranked[first..<last], parameters)
      first = last
    }
    return true
  }

  private mutating func run(group: ArraySlice<Demonstrations.Episode>, _ parameters: [Float]) {
    let (D, A, S) = (network.observationSize, network.actionCount, network.stateSize)
    let episodes = Array(group)
    for i in before.indices { before[i] = 0 }
    var unusedValues: [Float] = []
    for t in 0..<(episodes.first?.count ?? 0) {
      let rows = episodes.prefix { t < $0.count }.count
      for row in 0..<rows {
        let sample = episodes[row].start + t
        for i in 0..<D { inputs[row * D + i] = observations[sample * D + i] }
        for a in 0..<A { masks[row * A + a] = demonstrations.masks[sample * A + a] }
        for i in 0..<S { states[sample * S + i] = before[row * S + i] }
      }
      network.forward(
        parameters: parameters, observations: inputs, states: before, masks: masks, rows: rows, outputs: .policy, activations: activations,
        logits: &rowLogits, values: &unusedValues, nextStates: &after)
      for row in 0..<rows {
        let sample = episodes[row].start + t
        for a in 0..<A { logits[sample * A + a] = rowLogits[row * A + a] }
      }
      swap(&before, &after)
    }
  }
}
