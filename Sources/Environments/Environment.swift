/// A task that a policy acts in: one decision at a time, by values only.
///
/// An environment is a value. Its future is a function of its frozen configuration, the arguments of `reset` and the actions given to `step`; a
/// copy is an independent continuation. Nothing is pending between calls: `step` advances to the next decision, so the reward and the
/// next observation belong to the step that caused them. `EnvironmentContract` checks all of this.
///
/// Call order: `reset`, then any number of (`observe`, `actionMask`, `step`). `observe`, `actionMask`, `finalObservation`, `info`,
/// `closingRecord` and the rest change nothing and may be left out or repeated.
public protocol Environment: Sendable {
  /// Short name of the task, such as "cartpole".
  static var kind: String { get }
  /// Names of `EpisodeRecord.values`, in order.
  static var episodeFields: [String] { get }
  /// Those of `episodeFields` that count things; a chunk's log line says their sums over all environments.
  static var episodeCounts: [String] { get }
  /// Names of the values that `info(into:)` gives for each step, in order.
  static var infoFields: [String] { get }

  /// Names of the observation's entries, unique, `[observationSize]`.
  var observationNames: [String] { get }
  /// How the observation divides into blocks and shared values; constant.
  var observationLayout: ObservationLayout { get }
  /// D, the length of an observation; constant.
  var observationSize: Int { get }
  /// A, the number of actions; constant.
  var actionCount: Int { get }

  /// Starts over: afterwards the environment waits for the first decision of (`seed`, `chunk`, `environment`), whatever was before.
  ///
  /// - Parameters:
  ///   - chunk: 1-based chunk of the run; 0 outside of a run.
  ///   - environment: number of the logical environment over the whole run.
  mutating func reset(seed: UInt64, chunk: Int, environment: Int)

  /// Writes what the policy sees at the pending decision, raw (not standardised), `[D]`.
  func observe(into observation: inout MutableSpan<Float>)

  /// Writes which actions the pending decision allows, `[A]`: 1 = allowed, 0 = not; at least one is.
  func actionMask(into mask: inout MutableSpan<UInt8>)

  /// Applies an allowed action, 0..<A, and advances to the next decision. An episode that ends is followed by the next one at once.
  mutating func step(_ action: Int) -> StepResult

  /// Writes the observation in which the last finished episode ended, `[D]`; meaningful after a step that is terminated or truncated.
  func finalObservation(into observation: inout MutableSpan<Float>)

  /// Writes the info values of the last step, `[infoFields.count]`.
  func info(into values: inout MutableSpan<Double>)

  /// Values of the block that the observation begins with for each action: b, if entries `a b ..< (a + 1) b` describe action a and what
  /// follows the blocks describes all of them; 0 without such an order.
  var replicaBlockSize: Int { get }

  /// What a temperature controller reacts to at the pending decision; nil if the task has no such thing.
  var loadSignals: LoadSignals? { get }

  /// Whether `latencies(into:)` ever gives any.
  static var reportsLatencies: Bool { get }

  /// Simulated time of the pending decision in seconds.
  var simulatedSeconds: Double { get }

  /// Appends the end-to-end times of the requests that the last step completed, in seconds, in order of completion.
  func latencies(into values: inout [Double])

  /// The record of the open episode as if it were cut here, nil if it has no step yet.
  func closingRecord() -> EpisodeRecord?

  /// What the pending decision is about: a number by which a decision is found again in a copy that went another way.
  var subject: Int { get }

  /// What each action would cost at the pending decision, `[A]`, NaN where the mask forbids it. Only differences between actions mean something.
  ///
  /// Changes nothing. A function of the environment's value and the arguments, so it is the same on any rank and in any replay.
  ///
  /// - Parameters:
  ///   - later: the decisions that were taken after the pending one, in order; they stay as they were. The list may end before the horizon.
  func actionCosts(later: [Decision], horizon: CostHorizon) -> [Double]

  /// What each of `decisions`, taken from here on, costs by itself, such as the latency of the request that it was about, `[decisions.count]`.
  ///
  /// Changes nothing; a copy goes on until everything that the decisions were about is known.
  func ownCosts(of decisions: [Decision]) -> [Double]
}

extension Environment {
  /// None unless an environment names some.
  public static var episodeCounts: [String] { [] }
  /// The observation is taken as a whole unless an environment says otherwise.
  public var replicaBlockSize: Int { 0 }
  /// None unless an environment has some.
  public var loadSignals: LoadSignals? { nil }
  /// No unless an environment says otherwise.
  public static var reportsLatencies: Bool { false }
  /// Stands still unless an environment has a clock.
  public var simulatedSeconds: Double { 0 }
  /// None unless an environment has some.
  public func latencies(into values: inout [Double]) {}
}

/// The load of a system at one decision, against what it should be.
public struct LoadSignals: Sendable, Equatable {
  /// Arrivals per second.
  public var arrivalRate: Double
  /// What `arrivalRate` should be.
  public var targetRate: Double
  /// Seconds from arrival to completion.
  public var latency: Double
  /// What `latency` should be.
  public var targetLatency: Double
  /// 1: all parts are loaded alike, towards 0: very unlike.
  public var balance: Double
  /// |change of throughput| + |change of latency| since the decision before.
  public var change: Double

  /// All of them.
  public init(arrivalRate: Double, targetRate: Double, latency: Double, targetLatency: Double, balance: Double, change: Double) {
    self.arrivalRate = arrivalRate
    self.targetRate = targetRate
    self.latency = latency
    self.targetLatency = targetLatency
    self.balance = balance
    self.change = change
  }
}
