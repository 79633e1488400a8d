/// How long a pipeline stage takes for a batch.
public enum TimeModelKind: Equatable, Sendable {
  /// From model dimensions and device rates.
  case closedForm
  /// The closed form with measured times in place of some of its formulas.
  case measured(MeasuredTimes)
  /// The same time for every stage and batch.
  case constant(seconds: Double)
  /// ((a + b P) + c D) + d K seconds: P prompt tokens, D decoding requests, K tokens in their caches. Rounded after each operation.
  case linear(a: Double, b: Double, c: Double, d: Double)
}

extension TimeModelKind {
  /// What replaces formulas of the closed form; nil for kinds that are something else.
  var measured: MeasuredTimes? {
    switch self {
    case .closedForm: MeasuredTimes()
    case .measured(let times): times
    case .constant, .linear: nil
    }
  }
}

/// `TimeModelKind` made ready for a cluster.
enum StageTimeModel: Equatable, Sendable {
  case closedForm(SharedTimes)
  case constant(Double)
  case linear(a: Double, b: Double, c: Double, d: Double)

  /// What pipeline stage `stage` takes for `batch`, as a function of the context of its decoding members.
  func clock(stage: Int, batch: inout Batch, requests: [Request]) -> StageClock {
    switch self {
    case .closedForm(let times): return times.model.clock(stage: stage, batch: &batch, requests: requests)
    case .constant(let seconds): return StageClock(fixed: seconds)
    case .linear(let a, let b, let c, let d):
      let prefill = a + b * Double(batch.prefillTokens)
      return StageClock(fixed: prefill + c * Double(batch.decodeRequests), decode: DecodeTerm(perContextToken: d))
    }
  }
}

/// A closed form and its tables, which all copies of a simulation use: copied, they would cost more than a batch.
final class SharedTimes: Equatable, Sendable {
  let model: ClosedFormTimeModel

  init(_ model: ClosedFormTimeModel) { self.model = model }

  static func == (left: SharedTimes, right: SharedTimes) -> Bool { left === right || left.model == right.model }
}

/// What decode attention adds to a stage: overhead + (perContextToken K + perRequests) for K tokens in the caches.
struct DecodeTerm: Equatable, Sendable {
  var overhead = 0.0
  var perContextToken = 0.0
  var perRequests = 0.0
  /// Whether it holds for any K; otherwise for the K it was asked for.
  var isAffine = true

  func value(contextTokens: Int) -> Double { overhead + (perContextToken * Double(contextTokens) + perRequests) }
}

/// What a pipeline stage takes for one batch, once all but the tokens in the caches of its decoding members is known: that is what differs between a
/// decode step and the next one of the same requests.
///
/// seconds = (((fixed + decode(K)) layers + sendReceive) unit + engine) scale
struct StageClock {
  /// Per layer.
  var fixed: Double
  /// Per layer.
  var decode = DecodeTerm()
  var layers = 1.0
  var sendReceive = 0.0
  /// Seconds in a unit of the terms above.
  var unit = 1.0
  /// Work of the serving engine, seconds.
  var engine = 0.0
  /// 1 / speed of the replica.
  var scale = 1.0

  func time(contextTokens: Int) -> StageTime {
    let total = ((fixed + decode.value(contextTokens: contextTokens)) * layers + sendReceive) * unit + engine
    return StageTime(total: total * scale, model: (total - engine) * scale)
  }
}

/// What a pipeline stage takes for a batch, seconds.
struct StageTime: Equatable, Sendable {
  /// From start to end.
  var total = 0.0
  /// The part that the model takes; the rest is the serving engine's own work.
  var model = 0.0
}
