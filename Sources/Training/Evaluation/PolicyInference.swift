import Neural
import PPO

/// One observation for a policy, from one of several environments that are asked side by side.
public struct PolicyQuestion: Equatable, Sendable {
  /// `[D]`.
  public var observation: [Float]
  /// Whether the environment's recurrent state goes on; false starts from zeros, as at an episode's start.
  public var keepsState: Bool

  /// Both.
  public init(observation: [Float], keepsState: Bool) {
    self.observation = observation
    self.keepsState = keepsState
  }
}

/// What a policy says to an observation, at temperature 1 and without a mask.
public struct PolicyAnswer: Equatable, Sendable {
  /// `[A]`, raw.
  public let logits: [Float]
  /// `[A]`, softmax of the logits.
  public let probabilities: [Float]
  /// Estimated return, as the critic gives it.
  public let value: Float
  /// The likeliest action, the first of several.
  public let action: Int
}

/// Asks a policy about observations and carries the recurrent state of each environment from one to the next.
///
/// Answers do not depend on how many environments are asked at once.
public struct PolicyInference {
  /// Who is asked.
  public let model: PolicyModel
  /// Recurrent state after the last question, `[environments, S]`: actor layers, then critic.
  public private(set) var states: [Float]
  private let isNormalised: Bool
  private let activations: Activations
  private let environments: Int

  /// - Parameters:
  ///   - environments: most rows of one call.
  ///   - isNormalised: observations are what the network sees; otherwise they pass the file's normaliser first.
  public init(_ model: PolicyModel, environments: Int = 1, isNormalised: Bool = false) {
    precondition(environments >= 1, "inference needs an environment")
    self.model = model
    self.environments = environments
    self.isNormalised = isNormalised
    states = [Float](repeating: 0, count: environments * model.network.stateSize)
    activations = model.network.makeActivations(rows: environments)
  }

  /// Answers to one question of each of the first environments, in order.
  public mutating func answer(_ questions: [PolicyQuestion]) -> [PolicyAnswer] {
    let network = model.network
    let (rows, width, count) = (questions.count, network.observationSize, network.actionCount)
    precondition(rows >= 1 && rows <= environments, "more questions than environments")
    var observations = [Float](repeating: 0, count: rows * width)
    for (row, question) in questions.enumerated() {
      precondition(question.observation.count == width, "observation of another dimension")
      if isNormalised {
        observations.replaceSubrange((row * width)..<((row + 1) * width), with: question.observation)
      } else {
        model.normaliser.normalise(question.observation.span, into: &observations, at: row * width)
      }
      if !question.keepsState { for i in 0..<network.stateSize { states[row * network.stateSize + i] = 0 } }
    }
    var logits = [Float](repeating: 0, count: rows * count)
    var values = [Float](repeating: 0, count: rows)
    var next = states
    network.forward(
      parameters: model.parameters, observations: observations, states: states, rows: rows, activations: activations, logits: &logits,
      values: &values, nextStates: &next)
    states = next
    let mask = [UInt8](repeating: 1, count: count)
    var scratch = [Float](repeating: 0, count: count)
    return (0..<rows).map { row in
      var span = scratch.mutableSpan
      ActionDistribution.logProbabilities(
        logits: logits.span.extracting((row * count)..<((row + 1) * count)), mask: mask.span, temperature: 1, into: &span)
      return PolicyAnswer(
        logits: Array(logits[(row * count)..<((row + 1) * count)]), probabilities: scratch.map { ActionDistribution.probability($0) },
        value: values[row], action: ActionDistribution.greedy(logProbabilities: scratch.span))
    }
  }
}
