import CKernels

/// Elementwise functions over whole buffers, padding included (each maps 0 to 0).
enum Nonlinearity {
  /// y = x Phi(x), the exact form of GELU (arXiv 1606.08415).
  static func gelu(_ x: ActivationBuffer, _ y: ActivationBuffer, rows: Int) {
    assert(x.stride == y.stride && rows <= x.rows && rows <= y.rows, "extents")
    ck_gelu_forward(y.pointer, x.pointer, Int64(rows * x.stride))
  }

  /// Overwrites dx; needs the forward pass's x.
  static func geluBackward(x: ActivationBuffer, dy: ActivationBuffer, dx: ActivationBuffer, rows: Int) {
    assert(x.stride == dy.stride && x.stride == dx.stride && rows <= x.rows && rows <= dx.rows, "extents")
    ck_gelu_backward(dx.pointer, dy.pointer, x.pointer, Int64(rows * x.stride))
  }

  /// y = tanh(x).
  static func tanh(_ x: ActivationBuffer, _ y: ActivationBuffer, rows: Int) {
    assert(x.stride == y.stride && rows <= x.rows && rows <= y.rows, "extents")
    ck_tanh_forward(y.pointer, x.pointer, Int64(rows * x.stride))
  }

  /// Overwrites dx; needs the forward pass's y.
  static func tanhBackward(y: ActivationBuffer, dy: ActivationBuffer, dx: ActivationBuffer, rows: Int) {
    assert(y.stride == dy.stride && y.stride == dx.stride && rows <= y.rows && rows <= dx.rows, "extents")
    ck_tanh_backward(dx.pointer, dy.pointer, y.pointer, Int64(rows * y.stride))
  }
}
