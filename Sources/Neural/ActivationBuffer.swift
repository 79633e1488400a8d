/// Owner of 64-byte aligned floats, zero at first. Freed with its last reference.
///
/// Kernels get the pointer for one call. A row has `columns` meaningful floats; `stride` is an odd number of cache lines, because strides
/// that are powers of two map all rows to few cache sets. The columns between are padding that kernels keep at 0.
final class ActivationBuffer {
  let rows: Int
  let columns: Int
  let stride: Int
  /// Valid as long as the object lives; never handed out of this target.
  let pointer: UnsafeMutablePointer<Float>

  init(rows: Int, columns: Int) {
    precondition(rows > 0 && columns > 0, "an activation buffer needs rows and columns")
    let lines = (columns + 15) / 16
    self.rows = rows
    self.columns = columns
    self.stride = 16 * (lines % 2 == 1 ? lines : lines + 1)
    self.pointer = ActivationBuffer.allocate(rows * stride)
  }

  /// A flat buffer: one row of exactly `count` floats.
  init(count: Int) {
    precondition(count > 0, "a flat buffer needs floats")
    self.rows = 1
    self.columns = count
    self.stride = count
    self.pointer = ActivationBuffer.allocate(count)
  }

  private static func allocate(_ count: Int) -> UnsafeMutablePointer<Float> {
    // Arrays are aligned to 16 bytes only; vector loads that cross cache lines are slower.
    let raw = UnsafeMutableRawPointer.allocate(byteCount: count * MemoryLayout<Float>.stride, alignment: 64)
    let floats = raw.bindMemory(to: Float.self, capacity: count)
    floats.initialize(repeating: 0, count: count)
    return floats
  }

  deinit { pointer.deallocate() }

  /// The first float of a row.
  func row(_ index: Int) -> UnsafeMutablePointer<Float> { pointer + index * stride }

  /// Copies `count` rows of a buffer of the same shape.
  func copyRows(from other: ActivationBuffer, at source: Int, to target: Int, count: Int) {
    assert(stride == other.stride && source + count <= other.rows && target + count <= rows, "extents")
    row(target).update(from: other.row(source), count: count * stride)
  }

  /// Adds `count` rows of a buffer of the same shape.
  func addRows(of other: ActivationBuffer, at source: Int, to target: Int, count: Int) {
    assert(stride == other.stride && source + count <= other.rows && target + count <= rows, "extents")
    let (sums, addends) = (row(target), other.row(source))
    for i in 0..<(count * stride) { sums[i] += addends[i] }
  }

  /// Adds a buffer of the same shape, element by element.
  func add(_ other: ActivationBuffer) {
    precondition(rows == other.rows && columns == other.columns, "buffers of different shapes")
    let (sums, addends) = (pointer, other.pointer)
    for i in 0..<(rows * stride) { sums[i] += addends[i] }
  }

  /// Copies `rows` rows of `source` (contiguous rows of `sourceStride`, from column `column` on) into the first columns.
  func copyIn(_ source: Span<Float>, sourceStride: Int, column: Int, rows: Int) {
    precondition(rows <= self.rows && rows * sourceStride <= source.count && column + columns <= sourceStride, "rows do not fit")
    // Block copies: an element loop through a span would triple the cost of a batch of one.
    source.withUnsafeBufferPointer { from in
      guard let base = from.baseAddress else { return }
      for row in 0..<rows { (pointer + row * stride).update(from: base + row * sourceStride + column, count: columns) }
    }
  }

  /// The same for the rows that `indices` names.
  func gather(_ source: Span<Float>, sourceStride: Int, column: Int, indices: Span<Int32>) {
    precondition(indices.count <= rows && column + columns <= sourceStride, "rows do not fit")
    source.withUnsafeBufferPointer { from in
      guard let base = from.baseAddress else { return }
      for row in 0..<indices.count {
        let index = Int(indices[row])
        precondition(index >= 0 && (index + 1) * sourceStride <= from.count, "gathered row does not exist")
        (pointer + row * stride).update(from: base + index * sourceStride + column, count: columns)
      }
    }
  }

  /// Copies the first `rows` rows into contiguous rows of `targetStride`, from column `column` on.
  func copyOut(_ target: inout MutableSpan<Float>, targetStride: Int, column: Int, rows: Int) {
    precondition(rows <= self.rows && rows * targetStride <= target.count && column + columns <= targetStride, "rows do not fit")
    target.withUnsafeMutableBufferPointer { to in
      guard let base = to.baseAddress else { return }
      for row in 0..<rows { (base + row * targetStride + column).update(from: pointer + row * stride, count: columns) }
    }
  }
}
