import CKernels
import Testing

/// Both forms of the kernels, by name; on a processor without AVX2 they are the same.
struct KernelForm: CustomTestStringConvertible, Sendable {
  let portable: Bool
  static let all = [KernelForm(portable: false), KernelForm(portable: true)]
  var testDescription: String { portable ? "portable" : "best" }
  var table: ck_kernel_table { ck_table(portable ? 1 : 0).pointee }
}

/// SplitMix64: enough for test data, and independent of the targets above.
struct TestRandom {
  var state: UInt64
  init(_ seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var z = state
    z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
    return z ^ (z >> 31)
  }

  /// Uniform in [low, high).
  mutating func uniform(_ low: Double, _ high: Double) -> Double { low + (high - low) * Double(next() >> 11) * 0x1p-53 }
  mutating func float() -> Float { Float(uniform(-1, 1)) }

  /// Mostly ordinary numbers, now and then a zero, a denormal, a huge number, an infinity or NaN.
  mutating func wildFloat() -> Float {
    switch next() % 40 {
    case 0: return 0
    case 1: return -0.0
    case 2: return Float(bitPattern: UInt32(next() & 0x007f_ffff))
    case 3: return -Float(bitPattern: UInt32(next() & 0x007f_ffff))
    case 4: return float() * 0x1p120
    case 5: return next() % 8 == 0 ? .infinity : float() * 0x1p-120
    case 6: return next() % 8 == 0 ? .nan : float()
    default: return float()
    }
  }
}

/// Rows of floats with a stride, guarded on both sides: a kernel that writes outside is caught by `guardsAreIntact`.
final class Rows {
  let rows: Int
  let columns: Int
  let stride: Int
  let pointer: UnsafeMutablePointer<Float>
  private let base: UnsafeMutablePointer<Float>
  private static let guardCount = 32
  private static let guardValue: Float = 12345.678

  /// `stride` defaults to the padded width. Everything starts at `initial`.
  init(_ rows: Int, _ columns: Int, stride: Int? = nil, initial: Float = 0) {
    self.rows = rows
    self.columns = columns
    self.stride = stride ?? padded(columns)
    let count = rows * self.stride
    base = UnsafeMutablePointer<Float>.allocate(capacity: count + 2 * Rows.guardCount)
    base.initialize(repeating: Rows.guardValue, count: count + 2 * Rows.guardCount)
    pointer = base + Rows.guardCount
    pointer.update(repeating: initial, count: count)
  }
  deinit { base.deallocate() }

  var span: Int64 { Int64(stride) }

  subscript(row: Int, column: Int) -> Float {
    get { pointer[row * stride + column] }
    set { pointer[row * stride + column] = newValue }
  }

  @discardableResult
  func fill(_ value: (Int, Int) -> Float) -> Rows {
    for row in 0..<rows { for column in 0..<columns { self[row, column] = value(row, column) } }
    return self
  }

  /// A copy with the same strides and guards.
  func copy() -> Rows {
    let other = Rows(rows, columns, stride: stride)
    other.pointer.update(from: pointer, count: rows * stride)
    return other
  }

  var guardsAreIntact: Bool {
    let end = Rows.guardCount + rows * stride
    return (0..<Rows.guardCount).allSatisfy { base[$0] == Rows.guardValue && base[end + $0] == Rows.guardValue }
  }

  /// Whether columns from `columns` to the padded width are 0 in every row.
  var paddingIsZero: Bool {
    (0..<rows).allSatisfy { row in (columns..<padded(columns)).allSatisfy { self[row, $0] == 0 } }
  }

  /// Whether all meaningful columns have the same bits; NaN equals NaN.
  func hasSameBits(as other: Rows) -> Bool {
    (0..<rows).allSatisfy { row in (0..<columns).allSatisfy { sameBits(self[row, $0], other[row, $0]) } }
  }
}

func padded(_ count: Int) -> Int { (count + 15) / 16 * 16 }

/// Equal bits, where every NaN counts as the same one: which of two NaN operands survives is not part of the contract.
func sameBits(_ a: Float, _ b: Float) -> Bool { a.bitPattern == b.bitPattern || (a.isNaN && b.isNaN) }
func sameBits(_ a: Double, _ b: Double) -> Bool { a.bitPattern == b.bitPattern || (a.isNaN && b.isNaN) }

/// Weights `[outputs, inputs]` in panels, and back.
struct Panels {
  let inputs: Int
  let outputs: Int
  let storage: Rows

  init(inputs: Int, outputs: Int) {
    self.inputs = inputs
    self.outputs = outputs
    storage = Rows(1, padded(outputs) * inputs, stride: padded(outputs) * inputs)
  }

  func index(_ o: Int, _ i: Int) -> Int { ((o / 16) * inputs + i) * 16 + o % 16 }

  subscript(o: Int, i: Int) -> Float {
    get { storage.pointer[index(o, i)] }
    nonmutating set { storage.pointer[index(o, i)] = newValue }
  }

  var paddingIsZero: Bool {
    (outputs..<padded(outputs)).allSatisfy { o in (0..<inputs).allSatisfy { self[o, $0] == 0 } }
  }
}

/// Bound of the rounding error of a chain of `count` operations on terms whose magnitudes sum to `magnitude`.
func chainBound(_ count: Int, _ magnitude: Double) -> Double { 1.01 * Double(count + 2) * 0x1p-24 * magnitude + 1e-40 }
