import Glibc
import Neural
import Randomness

/// Slow, obvious double-precision forms of every layer; rows are arrays.
enum DoubleReference {
  typealias Rows = [[Double]]

  /// y = x W^T + b, W row-major [O, I].
  static func linear(_ x: Rows, _ w: [Double], _ b: [Double]) -> Rows {
    x.map { row in
      b.indices.map { o in
        var sum = b[o]
        for i in row.indices { sum += w[o * row.count + i] * row[i] }
        return sum
      }
    }
  }

  static func layerNorm(_ x: Rows, _ gain: [Double], _ shift: [Double], relu: Bool) -> Rows {
    x.map { row in
      let mean = row.reduce(0, +) / Double(row.count)
      let variance = row.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(row.count)
      return row.indices.map { i in
        let y = (row[i] - mean) / (variance + 1e-5).squareRoot() * gain[i] + shift[i]
        return relu ? max(y, 0) : y
      }
    }
  }

  static func gelu(_ x: Rows) -> Rows { x.map { $0.map { 0.5 * $0 * (1 + Glibc.erf($0 / 2.0.squareRoot())) } } }

  static func tanh(_ x: Rows) -> Rows { x.map { $0.map { Glibc.tanh($0) } } }

  static func sigmoid(_ x: Double) -> Double { 1 / (1 + Glibc.exp(-x)) }

  static func gru(_ x: Rows, _ h: Rows, _ wi: [Double], _ wh: [Double], _ bi: [Double], _ bh: [Double]) -> Rows {
    let gi = linear(x, wi, bi)
    let gh = linear(h, wh, bh)
    return x.indices.map { r in
      let n = h[r].count
      return (0..<n).map { i in
        let reset = sigmoid(gi[r][i] + gh[r][i])
        let update = sigmoid(gi[r][n + i] + gh[r][n + i])
        let candidate = Glibc.tanh(gi[r][2 * n + i] + reset * gh[r][2 * n + i])
        return (1 - update) * candidate + update * h[r][i]
      }
    }
  }

  /// A GRU whose gates' arguments are normalised; `norms` by gate: gain, shift.
  static func normalisedGRU(
    _ x: Rows, _ h: Rows, _ wi: [Double], _ wh: [Double], _ bi: [Double], _ bh: [Double], norms: [(gain: [Double], shift: [Double])]
  ) -> Rows {
    let gi = linear(x, wi, bi)
    let gh = linear(h, wh, bh)
    return x.indices.map { r in
      let n = h[r].count
      func part(_ row: [Double], _ gate: Int) -> [Double] { Array(row[(gate * n)..<((gate + 1) * n)]) }
      func normal(_ row: [Double], _ gate: Int) -> [Double] { layerNorm([row], norms[gate].gain, norms[gate].shift, relu: false)[0] }
      let reset = normal(zip(part(gi[r], 0), part(gh[r], 0)).map { $0 + $1 }, 0).map { sigmoid($0) }
      let update = normal(zip(part(gi[r], 1), part(gh[r], 1)).map { $0 + $1 }, 1).map { sigmoid($0) }
      let sums = (0..<n).map { gi[r][2 * n + $0] + reset[$0] * gh[r][2 * n + $0] }
      let candidate = normal(sums, 2).map { Glibc.tanh($0) }
      return (0..<n).map { (1 - update[$0]) * candidate[$0] + update[$0] * h[r][$0] }
    }
  }

  /// Attention of the tokens over those that take part, heads of 16 columns.
  static func attention(_ q: Rows, _ k: Rows, _ v: Rows, _ mask: [UInt8]) -> Rows {
    let heads = q[0].count / 16
    return q.indices.map { i in
      var out: [Double] = []
      for h in 0..<heads {
        let columns = (16 * h)..<(16 * h + 16)
        let scores = k.indices.map { j in columns.reduce(0.0) { $0 + q[i][$1] * k[j][$1] } / 4 }
        let weights = k.indices.map { mask[$0] == 1 ? Glibc.exp(scores[$0]) : 0 }
        let sum = weights.reduce(0, +)
        for c in columns { out.append(v.indices.reduce(0.0) { $0 + weights[$1] / sum * v[$1][c] }) }
      }
      return out
    }
  }

  struct Output {
    var logits: Rows
    var values: [Double]
    var nextStates: Rows
  }

  /// A whole network from its named tensors.
  static func network(
    _ network: Network, _ p: [String: [Double]], observations: Rows, states: Rows, masks: [[UInt8]]? = nil
  ) -> Output {
    func linear(_ name: String, _ x: Rows) -> Rows {
      let w = p["\(name).weight"]!
      return DoubleReference.linear(x, w, p["\(name).bias"] ?? [Double](repeating: 0, count: w.count / x[0].count))
    }
    func norm(_ name: String, _ x: Rows, _ relu: Bool) -> Rows {
      layerNorm(x, p["\(name).weight"]!, p["\(name).bias"]!, relu: relu)
    }
    switch network.configuration {
    case .mlp(let hidden):
      func tower(_ name: String) -> Rows {
        var x = observations
        for i in hidden.indices { x = tanh(linear("\(name).\(2 * i)", x)) }
        return linear("\(name).\(2 * hidden.count)", x)
      }
      return Output(logits: tower("actor"), values: tower("critic").map { $0[0] }, nextStates: observations.map { _ in [] })
    case .recurrent(let sizes):
      let width = sizes.hidden
      var next: [Rows] = []
      func cell(_ name: String, _ layer: Int, part: Int, _ x: Rows) -> Rows {
        let h = states.map { Array($0[(part * width)..<((part + 1) * width)]) }
        let t = ["weight_ih", "weight_hh", "bias_ih", "bias_hh"].map { p["\(name).\($0)_l\(layer)"]! }
        let norms = ["reset", "update", "new"].map { gate in
          let gain = p["\(name).ln_l\(layer).\(gate).weight"] ?? []
          return (gain: gain, shift: p["\(name).ln_l\(layer).\(gate).bias"] ?? [])
        }
        let y = sizes.cell == .plain ? gru(x, h, t[0], t[1], t[2], t[3]) : normalisedGRU(x, h, t[0], t[1], t[2], t[3], norms: norms)
        next.append(y)
        return y
      }
      var x = sizes.inputLayerNorm ? norm("feature_proj.0", observations, false) : observations
      x = linear("feature_proj.3", gelu(linear("feature_proj.1", x)))
      var depth = 0
      if case .coupled(let count) = sizes.form { depth = count }
      for i in 0...depth { x = norm("shared_mlp.\(3 * i + 1)", linear("shared_mlp.\(3 * i)", x), true) }
      for layer in 0..<sizes.layers { x = cell("gru", layer, part: layer, x) }
      let core = norm("gru_ln", x, false)
      if sizes.form != .decoupled {
        return Output(
          logits: linear("actor_head", core), values: linear("critic_head", core).map { $0[0] },
          nextStates: observations.indices.map { r in next.flatMap { $0[r] } })
      }
      func branch(_ name: String) -> Rows {
        let y = norm("\(name).1", linear("\(name).0", core), true)
        return norm("\(name).4", linear("\(name).3", y), true)
      }
      var logits = linear("actor_head.0", branch("actor_branch"))
      if sizes.boundedLogits { logits = tanh(norm("actor_head.1", logits, false)) }
      let critic = cell("critic_gru", 0, part: sizes.layers, branch("critic_branch"))
      let values = linear("critic_head", critic).map { $0[0] }
      return Output(
        logits: logits, values: values,
        nextStates: observations.indices.map { r in next.flatMap { $0[r] } })
    case .setEncoder(let sizes):
      return setEncoder(
        network, sizes, p, linear: linear, norm: norm, observations: observations, states: states,
        masks: masks ?? observations.map { _ in [UInt8](repeating: 1, count: network.actionCount) })
    }
  }

  private static func setEncoder(
    _ network: Network, _ sizes: SetEncoderConfiguration, _ p: [String: [Double]], linear: (String, Rows) -> Rows,
    norm: (String, Rows, Bool) -> Rows, observations: Rows, states: Rows, masks: [[UInt8]]
  ) -> Output {
    let (R, b) = (network.actionCount, sizes.replicaBlockSize)
    func sum(_ x: [Double], _ y: [Double]) -> [Double] { zip(x, y).map { $0 + $1 } }
    var output = Output(logits: [], values: [], nextStates: [])
    for (row, x) in observations.enumerated() {
      let cluster = linear("encoder.cluster", [Array(x[(R * b)...])])[0]
      var tokens = (0..<R).map { sum(linear("encoder.replica", [Array(x[($0 * b)..<(($0 + 1) * b)])])[0], cluster) }
      tokens = norm("encoder.norm", tokens, true)
      for layer in 0..<(sizes.layers - 1) {
        tokens = norm("encoder.layers.\(3 * layer + 1)", linear("encoder.layers.\(3 * layer)", tokens), true)
      }
      if sizes.attention {
        let mixed = attention(
          linear("attention.query", tokens), linear("attention.key", tokens), linear("attention.value", tokens), masks[row])
        tokens = norm("attention.norm", zip(tokens, linear("attention.output", mixed)).map { sum($0, $1) }, false)
      }
      let taken = tokens.indices.filter { masks[row][$0] == 1 }.map { tokens[$0] }
      let columns = 0..<sizes.width
      var context = columns.map { c in taken.reduce(0) { $0 + $1[c] } / Double(taken.count) }
      context += columns.map { c in taken.map { $0[c] }.max()! }
      if sizes.memory {
        let t = ["weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0"].map { p["memory.\($0)"]! }
        let memory = gru([context], [states[row]], t[0], t[1], t[2], t[3])[0]
        output.nextStates.append(memory)
        context += memory
      } else {
        output.nextStates.append([])
      }
      let shared = linear("score.context", [context])[0]
      let scored = norm("score.norm", linear("score.token", tokens).map { sum($0, shared) }, true)
      output.logits.append(linear("score.head", scored).map { $0[0] })
      output.values.append(linear("value_head", norm("value.1", linear("value.0", [context]), true))[0][0])
    }
    return output
  }
}

/// Test data from keyed streams.
enum TestData {
  static func uniform(_ count: Int, _ range: ClosedRange<Double> = -1...1, index: Int) -> [Float] {
    var stream = RandomStream(seed: 7, purpose: .bootstrap, index: index)
    return (0..<count).map { _ in Float(range.lowerBound + (range.upperBound - range.lowerBound) * stream.uniform()) }
  }

  static func rows(_ flat: [Float], _ width: Int) -> [[Double]] {
    width == 0 ? [] : stride(from: 0, to: flat.count, by: width).map { flat[$0..<($0 + width)].map { Double($0) } }
  }

  /// Central difference of `f` at `x[i]`.
  static func slope(_ x: inout [Double], _ i: Int, step: Double = 1e-5, _ f: ([Double]) -> Double) -> Double {
    let kept = x[i]
    x[i] = kept + step
    let above = f(x)
    x[i] = kept - step
    let below = f(x)
    x[i] = kept
    return (above - below) / (2 * step)
  }

  /// Whether two numbers agree relative to the larger of them and `floor`.
  static func close(_ a: Double, _ b: Double, tolerance: Double, floor: Double) -> Bool {
    abs(a - b) <= tolerance * max(abs(a), abs(b), floor)
  }
}
