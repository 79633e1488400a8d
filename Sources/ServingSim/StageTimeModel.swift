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

  func seconds(stage: Int, batch: inout Batch, requests: [Request]) -> Double {
    switch self {
    case .closedForm(let model):
      return model.seconds(stage: stage, batch: &batch, requests: requests)
    case .constant(let seconds):
      return seconds
    case .linear(let a, let b, let c, let d):
      let prefill = a + b * Double(batch.prefillTokens)
      let decode = prefill + c * Double(batch.decodeRequests)
      return decode + d * Double(batch.decodeContextTokens)
    }
  }

  /// CPU time of the engine inside `seconds`.
  func cpuSeconds(stage: Int, requests: Int) -> Double {
    switch self {
    case .closedForm(let model): model.cpuSeconds(stage: stage, requests: requests)
    case .constant, .linear: 0
    }
  }
}
