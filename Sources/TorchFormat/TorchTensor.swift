/// A dense tensor as a file holds it: type, extents, and row-major little-endian bytes.
public struct TorchTensor: Equatable, Sendable {
  /// Element types; the raw value is the name of PyTorch's storage class.
  public enum ElementType: String, Equatable, Sendable, CaseIterable {
    case float32 = "FloatStorage"
    case float64 = "DoubleStorage"
    case int64 = "LongStorage"
    case int32 = "IntStorage"
    case uint8 = "ByteStorage"

    /// Bytes of an element.
    public var size: Int {
      switch self {
      case .float64, .int64: 8
      case .float32, .int32: 4
      case .uint8: 1
      }
    }

    /// PyTorch's name of the type, such as `float32`.
    public var name: String {
      switch self {
      case .float32: "float32"
      case .float64: "float64"
      case .int64: "int64"
      case .int32: "int32"
      case .uint8: "uint8"
      }
    }
  }

  /// Type of the elements.
  public let dtype: ElementType
  /// Extents, outermost first; empty for a single number.
  public let shape: [Int]
  /// `product(shape)` elements, row-major, little-endian.
  public let bytes: [UInt8]

  /// Number of elements.
  public var count: Int { bytes.count / dtype.size }

  /// Takes bytes as they are; their count must fit the shape.
  public init(dtype: ElementType, shape: [Int], bytes: [UInt8]) {
    precondition(shape.allSatisfy { $0 >= 0 }, "extents are not negative")
    precondition(shape.reduce(dtype.size, *) == bytes.count, "a tensor's bytes fit its shape")
    self.dtype = dtype
    self.shape = shape
    self.bytes = bytes
  }

  /// 32-bit floats; without a shape a vector.
  public init(_ values: [Float], shape: [Int]? = nil) {
    self.init(dtype: .float32, shape: shape ?? [values.count], bytes: Bytes.little(values.span))
  }

  /// 32-bit floats.
  public init(_ values: Span<Float>, shape: [Int]) {
    self.init(dtype: .float32, shape: shape, bytes: Bytes.little(values))
  }

  /// 64-bit floats; without a shape a vector.
  public init(_ values: [Double], shape: [Int]? = nil) {
    self.init(dtype: .float64, shape: shape ?? [values.count], bytes: Bytes.little(values.span))
  }

  /// 64-bit integers; without a shape a vector.
  public init(_ values: [Int64], shape: [Int]? = nil) {
    self.init(dtype: .int64, shape: shape ?? [values.count], bytes: Bytes.little(values.span))
  }

  /// 32-bit integers; without a shape a vector.
  public init(_ values: [Int32], shape: [Int]? = nil) {
    self.init(dtype: .int32, shape: shape ?? [values.count], bytes: Bytes.little(values.span))
  }

  /// Bytes; without a shape a vector.
  public init(_ values: [UInt8], shape: [Int]? = nil) {
    self.init(dtype: .uint8, shape: shape ?? [values.count], bytes: values)
  }

  /// The elements, if they are 32-bit floats.
  public var floats: [Float]? { dtype == .float32 ? Bytes.elements(bytes, as: Float.self) : nil }
  /// The elements, if they are 64-bit floats.
  public var doubles: [Double]? { dtype == .float64 ? Bytes.elements(bytes, as: Double.self) : nil }
  /// The elements, if they are 64-bit integers.
  public var int64s: [Int64]? { dtype == .int64 ? Bytes.elements(bytes, as: Int64.self) : nil }
  /// The elements, if they are 32-bit integers.
  public var int32s: [Int32]? { dtype == .int32 ? Bytes.elements(bytes, as: Int32.self) : nil }
  /// The elements, if they are bytes.
  public var uint8s: [UInt8]? { dtype == .uint8 ? bytes : nil }
}

extension TorchTensor: CustomStringConvertible {
  /// Type and shape, such as `float32[128, 256]`.
  public var description: String { "\(dtype.name)\(shape)" }
}
