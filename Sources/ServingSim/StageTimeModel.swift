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
  case closedForm(ClosedFormTimeModel)
  case constant(Double)
  case linear(a: Double, b: Double, c: Double, d: Double)

  func time(stage: Int, batch: inout Batch, requests: [Request]) -> StageTime {
    switch self {
    case .closedForm(let model):
      let total = model.seconds(stage: stage, batch: &batch, requests: requests)
      return StageTime(total, engine: model.cpuSeconds(stage: stage, requests: batch.members.count))
    case .constant(let seconds):
      return StageTime(seconds)
    case .linear(let a, let b, let c, let d):
      let prefill = a + b * Double(batch.prefillTokens)
      let decode = prefill + c * Double(batch.decodeRequests)
      return StageTime(decode + d * Double(batch.decodeContextTokens))
    }
  }
}

/// What a pipeline stage takes for a batch, seconds.
struct StageTime: Equatable, Sendable {
  /// From start to end.
  var total: Double
  /// The part that the model takes; the rest is the serving engine's own work.
  var model: Double

  init(_ total: Double, engine: Double = 0) {
    self.total = total
    model = total - engine
  }

  /// The same on a replica whose times are `scale` times as long.
  func scaled(by scale: Double) -> StageTime {
    var scaled = self
    scaled.total *= scale
    scaled.model *= scale
    return scaled
  }
}
