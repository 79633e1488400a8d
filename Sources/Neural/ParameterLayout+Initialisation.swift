import Randomness

extension ParameterLayout {
  /// First values of all tensors: a function of `seed` and of each tensor's index, shape and initialisation.
  public func initialParameters(seed: UInt64) -> [Float] {
    var buffer = [Float](repeating: 0, count: storedCount)
    for tensor in tensors {
      switch tensor.initialisation {
      case .zeros: break
      case .ones: store([Float](repeating: 1, count: tensor.count), of: tensor, into: &buffer)
      case .orthogonal(let gain, let blocks):
        var stream = RandomStream(seed: seed, purpose: .initialisation, index: tensor.index)
        var values: [Float] = []
        values.reserveCapacity(tensor.count)
        for _ in 0..<blocks {
          let block = orthogonalMatrix(rows: tensor.outputs / blocks, columns: tensor.inputs, stream: &stream)
          for value in block { values.append(Float(value * gain)) }
        }
        store(values, of: tensor, into: &buffer)
      }
    }
    return buffer
  }
}

/// A matrix `[rows, columns]`, row-major, whose shorter side is orthonormal, uniform over such matrices.
///
/// Gaussian vectors of the longer side's length are orthonormalised by Gram and Schmidt's process, each vector twice (enough for full
/// precision: Giraud et al., Numer. Math. 101, 2005). Normalising to a positive length makes it a QR decomposition with a positive
/// diagonal, without which the distribution is not uniform (Mezzadri, Notices AMS 54, 2007).
func orthogonalMatrix(rows: Int, columns: Int, stream: inout RandomStream) -> [Double] {
  let vectorCount = min(rows, columns)
  let length = max(rows, columns)
  var vectors = [Double](repeating: 0, count: vectorCount * length)
  for i in vectors.indices { vectors[i] = stream.normal() }
  var basis = vectors.mutableSpan
  for v in 0..<vectorCount {
    for _ in 0..<2 {
      for u in 0..<v {
        var product = 0.0
        for k in 0..<length { product += basis[u * length + k] * basis[v * length + k] }
        for k in 0..<length { basis[v * length + k] -= product * basis[u * length + k] }
      }
    }
    var squares = 0.0
    for k in 0..<length { squares += basis[v * length + k] * basis[v * length + k] }
    let norm = squares.squareRoot()
    for k in 0..<length { basis[v * length + k] /= norm }
  }
  if rows <= columns { return vectors }
  var transposed = [Double](repeating: 0, count: rows * columns)
  for r in 0..<rows {
    for c in 0..<columns { transposed[r * columns + c] = vectors[c * length + r] }
  }
  return transposed
}
