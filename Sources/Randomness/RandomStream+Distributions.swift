import ExactMath

extension RandomStream {
  /// Exponential with `rate` per unit: -ln(1 - u) / rate.
  public mutating func exponential(rate: Double) -> Double {
    precondition(rate > 0, "exponential(rate:) needs a positive rate")
    return -ExactMath.log1p(-uniform()) / rate
  }

  /// Standard normal by Box and Muller's transform; the second variate is dropped so that a draw has no memory.
  public mutating func normal() -> Double {
    let radius = (-2 * ExactMath.log1p(-uniform())).squareRoot()
    return radius * ExactMath.cos(2 * Double.pi * uniform())
  }

  /// Gamma by rejection (Marsaglia and Tsang, ACM TOMS 26(3), 2000). Mean = shape * scale.
  public mutating func gamma(shape: Double, scale: Double) -> Double {
    precondition(shape > 0, "gamma(shape:scale:) needs a positive shape")
    precondition(scale > 0, "gamma(shape:scale:) needs a positive scale")
    if shape < 1 {
      // Gamma(a) = Gamma(a + 1) * U^(1/a)
      let boosted = gamma(shape: shape + 1, scale: scale)
      return boosted * ExactMath.pow(1 - uniform(), 1 / shape)
    }
    let d = shape - 1.0 / 3.0
    let c = 1 / (9 * d).squareRoot()
    while true {
      let x = normal()
      let root = 1 + c * x
      if root <= 0 { continue }
      let v = root * root * root
      let logU = ExactMath.log(1 - uniform())
      if logU < 0.5 * x * x + d * (1 - v + ExactMath.log(v)) { return d * v * scale }
    }
  }

  /// Fisher and Yates' shuffle from the end; every permutation equally likely.
  public mutating func shuffle<Element>(_ elements: inout [Element]) {
    var last = elements.count - 1
    while last > 0 {
      elements.swapAt(last, bounded(last + 1))
      last -= 1
    }
  }
}
