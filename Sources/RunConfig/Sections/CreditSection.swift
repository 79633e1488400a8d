/// Where the policy's gradient learns from which action was good.
public enum CreditAssignment: String, CaseIterable, Sendable {
  /// The reward of the step.
  case reward
  /// The objective's cost that accrued between two decisions.
  case interval
  /// The objective's cost of the routed request.
  case own
  /// What each replica would have cost, by copies of the environment.
  case counterfactual
}

/// How the consequences of a decision are told from those of others.
public struct CreditSection: Equatable, Sendable {
  /// Estimator.
  public var assignment = CreditAssignment.reward
  /// Mean number of decisions per labelled one.
  public var labelEvery = 25
  /// Later decisions that a copy follows.
  public var horizon = 250
  /// Whether copies are served to their end.
  public var drain = false
  /// Weight of the surrogate at decisions without a label.
  public var rewardWeight = 0.0

  /// Weight of the policy loss at a labelled decision: together they weigh as much as all decisions do.
  public var labelledWeight: Float { assignment == .counterfactual ? Float(labelEvery) : 1 }
  /// Weight of the policy loss at the other decisions.
  public var sampledWeight: Float { assignment == .counterfactual ? Float(rewardWeight) : 1 }

  static let fields: [Field] = [
    .choice(
      "credit.assignment", \.credit.assignment, .frozen,
      "What an action is judged by: the reward, the objective's cost between decisions, that of the routed request, or copies of the environment."
    ),
    .integer(
      "credit.label_every", \.credit.labelEvery, 1...1_000_000, unit: "decisions", .frozen,
      "Mean number of decisions per labelled one (assignment counterfactual)."),
    .integer(
      "credit.horizon", \.credit.horizon, 0...100_000, unit: "decisions", .frozen,
      "Later requests that each copy serves before costs are compared (assignment counterfactual)."),
    .boolean(
      "credit.drain", \.credit.drain, .frozen,
      "Serves what is under way at the end of the horizon without further arrivals (assignment counterfactual)."),
    .real(
      "credit.reward_weight", \.credit.rewardWeight, .closed(0, 1000), .frozen,
      "Weight of the reward's advantages at decisions without a label, where labelled ones together weigh 1 (assignment counterfactual)."),
  ]
}

/// What the users of the cluster want: latency figures relative to those of lor_full on the same workload.
public struct ObjectiveSection: Equatable, Sendable {
  /// Weight of the mean end-to-end time.
  public var endToEndWeight = 1.0
  /// Weight of the mean time to first token.
  public var ttftWeight = 1.0
  /// Weight of the mean squared time to first token.
  public var ttftSquaredWeight = 1.0
  /// Requests that give the scale.
  public var referenceRequests = 1000

  static let fields: [Field] = [
    .real("objective.end_to_end_weight", \.objective.endToEndWeight, .closed(0, 1000), .frozen, "Weight of the mean end-to-end time."),
    .real("objective.ttft_weight", \.objective.ttftWeight, .closed(0, 1000), .frozen, "Weight of the mean time to first token."),
    .real(
      "objective.ttft_squared_weight", \.objective.ttftSquaredWeight, .closed(0, 1000), .frozen,
      "Weight of the mean squared time to first token, which stands for the tail."),
    .integer(
      "objective.reference_requests", \.objective.referenceRequests, 1...1_000_000, unit: "requests", .frozen,
      "Requests at the begin of each workload that lor_full serves to give the unit of the objective's costs."),
  ]
}
