import CKernels

/// SplitMix64: enough randomness for inputs, the same in every run.
struct TestRandom {
  private var state: UInt64

  init(_ seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var z = state
    z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
    return z ^ (z >> 31)
  }

  /// Uniform on (-scale, scale).
  mutating func value(_ scale: Float = 1) -> Float {
    (Float(next() >> 40) * 0x1p-23 - 1) * scale
  }

  mutating func values(_ count: Int, scale: Float = 1) -> [Float] {
    var result = [Float]()
    result.reserveCapacity(count)
    for _ in 0..<count { result.append(value(scale)) }
    return result
  }
}

/// What an output holds before a kernel runs; where it must not write, it holds it afterwards.
let untouched: Float = 7777

/// 2^-24: the largest relative error of one rounding to `Float`.
let unit = 0x1p-24

func padded(_ n: Int) -> Int { (n + 15) / 16 * 16 }

/// A row-major matrix as the kernels see it: real columns, padding up to a multiple of 16, then columns of a larger stride.
struct Matrix {
  let rows: Int
  let columns: Int
  let stride: Int
  /// `rows * stride` floats and a guard of 16.
  var values: [Float]

  /// An output: every float `untouched`.
  init(rows: Int, columns: Int, extra: Int = 0) {
    self.rows = rows
    self.columns = columns
    stride = padded(columns) + 16 * extra
    values = [Float](repeating: untouched, count: rows * stride + 16)
  }

  /// An input: random, padding 0, NaN beyond the padding, which no kernel may read.
  init(rows: Int, columns: Int, extra: Int = 0, random: inout TestRandom, scale: Float = 1) {
    self.init(rows: rows, columns: columns, extra: extra)
    for i in values.indices { values[i] = .nan }
    for r in 0..<rows {
      for c in 0..<padded(columns) { values[r * stride + c] = c < columns ? random.value(scale) : 0 }
    }
  }

  subscript(row: Int, column: Int) -> Float {
    get { values[row * stride + column] }
    set { values[row * stride + column] = newValue }
  }

  /// The rows of `range` as a matrix of their own.
  func slice(_ range: Range<Int>) -> Matrix {
    var result = Matrix(rows: range.count, columns: columns, extra: (stride - padded(columns)) / 16)
    for r in range {
      for c in 0..<stride { result.values[(r - range.lowerBound) * stride + c] = values[r * stride + c] }
    }
    return result
  }

  /// Bits of the real columns of a row.
  func rowBits(_ row: Int) -> [UInt32] { (0..<columns).map { self[row, $0].bitPattern } }

  /// Bits of everything, guard included.
  var bits: [UInt32] { values.map(\.bitPattern) }

  /// Whether the padding is +0 and nothing behind it was written.
  var paddingIsClean: Bool {
    for r in 0..<rows {
      for c in columns..<stride {
        let expected: Float = c < padded(columns) ? 0 : untouched
        if self[r, c].bitPattern != expected.bitPattern { return false }
      }
    }
    return values[(rows * stride)...].allSatisfy { $0 == untouched }
  }
}

/// Weights of a linear layer in panels of [inputs][16], and the same by (output, input).
struct Panels {
  let inputs: Int
  let outputs: Int
  /// The panels and a guard of 16.
  var values: [Float]

  /// Zero everywhere, or `untouched`.
  init(inputs: Int, outputs: Int, fill: Float) {
    self.inputs = inputs
    self.outputs = outputs
    values = [Float](repeating: fill, count: padded(outputs) * inputs) + [Float](repeating: untouched, count: 16)
  }

  /// Random with zero padding.
  init(inputs: Int, outputs: Int, random: inout TestRandom) {
    self.init(inputs: inputs, outputs: outputs, fill: 0)
    for o in 0..<outputs {
      for i in 0..<inputs { self[o, i] = random.value() }
    }
  }

  subscript(output: Int, input: Int) -> Float {
    get { values[((output / 16) * inputs + input) * 16 + output % 16] }
    set { values[((output / 16) * inputs + input) * 16 + output % 16] = newValue }
  }

  /// Whether the weights of outputs that do not exist are +0 and the guard is whole.
  var paddingIsClean: Bool {
    for o in outputs..<padded(outputs) {
      for i in 0..<inputs where self[o, i].bitPattern != 0 { return false }
    }
    return values.suffix(16).allSatisfy { $0 == untouched }
  }
}

/// A vector of `n` random values with zero padding.
func paddedVector(_ n: Int, _ random: inout TestRandom, offset: Float = 0) -> [Float] {
  (0..<padded(n)).map { $0 < n ? random.value() + offset : 0 }
}

/// Arguments at which elementary functions break first.
let specialFloats: [Float] = [
  0, -0.0, .infinity, -.infinity, .nan, .leastNonzeroMagnitude, -.leastNonzeroMagnitude, .leastNormalMagnitude, -.leastNormalMagnitude,
  .leastNormalMagnitude.nextDown, .greatestFiniteMagnitude, -.greatestFiniteMagnitude, 1, -1, 0.625, 1 + 0x1p-23,
  88.72284, 88.72283, -87.33655, -103.97208, -103.97207, -104, 89, 9.1, -9.1, 4, -4,
]

/// A row-wise double precision reference with its bound: compares and names the first element that is off.
func firstMismatch(_ actual: Matrix, bound: (Int, Int) -> Double, _ expected: (Int, Int) -> Double) -> String? {
  for r in 0..<actual.rows {
    for c in 0..<actual.columns {
      let difference = abs(Double(actual[r, c]) - expected(r, c))
      if !(difference <= bound(r, c)) {
        return "row \(r) column \(c): \(actual[r, c]) instead of \(expected(r, c)), bound \(bound(r, c))"
      }
    }
  }
  return nil
}
