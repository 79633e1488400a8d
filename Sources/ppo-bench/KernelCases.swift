import CKernels

/// Cases of the numeric kernels. An item is a row, or an element where a kernel works on elements.
enum KernelCases {
  static var all: [BenchmarkCase] { products + elementwise + layers }

  // MARK: Products

  /// Inputs and outputs of the layers of the networks that the configurations name.
  private static let shapes = [(212, 256), (256, 128), (128, 128), (128, 384)]
  private static let batches = [1, 8, 64]

  private static var products: [BenchmarkCase] {
    var cases: [BenchmarkCase] = []
    for (inputs, outputs) in shapes {
      for rows in batches {
        let extents = [rows, inputs, outputs]
        cases.append(BenchmarkCase(name: "gemm.forward", extents: extents) { forward(rows, inputs, outputs) })
        cases.append(BenchmarkCase(name: "gemm.input-gradient", extents: extents) { inputGradient(rows, inputs, outputs) })
        cases.append(BenchmarkCase(name: "gemm.weight-gradient", extents: extents) { weightGradient(rows, inputs, outputs) })
      }
    }
    return cases
  }

  private static func forward(_ rows: Int, _ inputs: Int, _ outputs: Int) -> BenchmarkResult {
    let (m, k, n) = (Int64(rows), Int64(inputs), Int64(outputs))
    let (xStride, yStride) = (padded(inputs), padded(outputs))
    let weights = ramp(inputs * yStride, scale: 0.1)
    let bias = ramp(yStride)
    let x = ramp(rows * xStride)
    var y = [Float](repeating: 0, count: rows * yStride)
    let run = { ck_linear_forward(&y, Int64(yStride), x, Int64(xStride), weights, bias, m, k, n) }
    run()
    let checksum = Benchmark.checksum(y)
    return productResult(Benchmark.measure(items: rows, run), inputs, outputs, checksum)
  }

  private static func inputGradient(_ rows: Int, _ inputs: Int, _ outputs: Int) -> BenchmarkResult {
    let (m, k, n) = (Int64(rows), Int64(inputs), Int64(outputs))
    let (xStride, yStride) = (padded(inputs), padded(outputs))
    let weights = ramp(inputs * yStride, scale: 0.1)
    let dy = ramp(rows * yStride)
    var dx = [Float](repeating: 0, count: rows * xStride)
    let run = { ck_linear_input_gradient(&dx, Int64(xStride), dy, Int64(yStride), weights, m, k, n, 0) }
    run()
    let checksum = Benchmark.checksum(dx)
    return productResult(Benchmark.measure(items: rows, run), inputs, outputs, checksum)
  }

  private static func weightGradient(_ rows: Int, _ inputs: Int, _ outputs: Int) -> BenchmarkResult {
    let (m, k, n) = (Int64(rows), Int64(inputs), Int64(outputs))
    let (xStride, yStride) = (padded(inputs), padded(outputs))
    let x = ramp(rows * xStride)
    let dy = ramp(rows * yStride)
    var dweights = [Float](repeating: 0, count: inputs * yStride)
    var dbias = [Float](repeating: 0, count: yStride)
    let run = { ck_linear_weight_gradient(&dweights, &dbias, x, Int64(xStride), dy, Int64(yStride), m, k, n, 0) }
    run()
    let checksum = Benchmark.checksum(dweights + dbias)
    return productResult(Benchmark.measure(items: rows, run), inputs, outputs, checksum)
  }

  private static func productResult(_ time: Double, _ inputs: Int, _ outputs: Int, _ checksum: UInt64) -> BenchmarkResult {
    BenchmarkResult(nanosecondsPerItem: time, operationsPerItem: 2 * Double(inputs * outputs), checksum: checksum)
  }

  // MARK: Elements

  private typealias Map = (UnsafeMutablePointer<Float>, UnsafePointer<Float>, Int64) -> Void
  private typealias Slope = (UnsafeMutablePointer<Float>, UnsafePointer<Float>, UnsafePointer<Float>, Int64) -> Void

  private static var elementwise: [BenchmarkCase] {
    let count = 4096
    let maps: [(String, Map)] = [
      ("exp", ck_exp_f32), ("log", ck_log_f32), ("tanh", ck_tanh_f32), ("sigmoid", ck_sigmoid_f32), ("erf", ck_erf_f32),
      ("gelu-forward", ck_gelu_forward),
    ]
    let slopes: [(String, Slope)] = [("gelu-backward", ck_gelu_backward), ("tanh-backward", ck_tanh_backward)]
    var cases = maps.map { name, map in
      BenchmarkCase(name: "vector.\(name)", extents: [count]) {
        // The logarithm's arguments are positive.
        let x = ramp(count, scale: 4).map { name == "log" ? $0.magnitude : $0 }
        var y = x
        map(&y, x, Int64(count))
        let checksum = Benchmark.checksum(y)
        return BenchmarkResult(nanosecondsPerItem: Benchmark.measure(items: count) { map(&y, x, Int64(count)) }, checksum: checksum)
      }
    }
    cases += slopes.map { name, slope in
      BenchmarkCase(name: "vector.\(name)", extents: [count]) {
        let x = ramp(count)
        var dx = x
        slope(&dx, x, x, Int64(count))
        let checksum = Benchmark.checksum(dx)
        return BenchmarkResult(nanosecondsPerItem: Benchmark.measure(items: count) { slope(&dx, x, x, Int64(count)) }, checksum: checksum)
      }
    }
    cases += [4096, 262_144].map { count in
      BenchmarkCase(name: "adamw", extents: [count]) {
        let g = ramp(count)
        var p = g
        var m = [Float](repeating: 0, count: count)
        var v = m
        let run = { ck_adamw(&p, &m, &v, g, Int64(count), 1, 1e-3, 0.9, 0.999, 1e-8, 0.01, 0.1, 0.001) }
        run()
        let checksum = Benchmark.checksum(p + m + v)
        return BenchmarkResult(nanosecondsPerItem: Benchmark.measure(items: count, run), checksum: checksum)
      }
    }
    cases.append(
      BenchmarkCase(name: "sum-squares", extents: [262_144]) {
        let x = ramp(262_144)
        var sum = ck_sum_squares(x, 262_144)
        let checksum = sum.bitPattern
        let time = Benchmark.measure(items: 262_144) { sum += ck_sum_squares(x, 262_144) }
        return BenchmarkResult(nanosecondsPerItem: time, checksum: checksum)
      })
    return cases
  }

  // MARK: Layers

  private static var layers: [BenchmarkCase] {
    [(64, 128), (64, 256)].flatMap { rows, n in
      [
        BenchmarkCase(name: "layernorm.forward", extents: [rows, n]) { layerNorm(rows, n, backward: false) },
        BenchmarkCase(name: "layernorm.backward", extents: [rows, n]) { layerNorm(rows, n, backward: true) },
      ]
    }
      + [1, 64].flatMap { rows in
        [
          BenchmarkCase(name: "gru.forward", extents: [rows, 128]) { gru(rows, 128, backward: false) },
          BenchmarkCase(name: "gru.backward", extents: [rows, 128]) { gru(rows, 128, backward: true) },
        ]
      }
  }

  private static func layerNorm(_ rows: Int, _ n: Int, backward: Bool) -> BenchmarkResult {
    let x = ramp(rows * n)
    let gain = ramp(n)
    let (m, width) = (Int64(rows), Int64(n))
    var y = x
    var dx = x
    var mean = [Float](repeating: 0, count: rows)
    var rstd = mean
    var dgain = [Float](repeating: 0, count: n)
    var dshift = dgain
    let forward = { ck_layernorm_forward(&y, width, &mean, &rstd, x, width, gain, gain, m, width, 1e-5, 1) }
    forward()
    if !backward {
      let checksum = Benchmark.checksum(y + mean + rstd)
      return BenchmarkResult(nanosecondsPerItem: Benchmark.measure(items: rows, forward), checksum: checksum)
    }
    let run = {
      ck_layernorm_backward(&dx, width, &dgain, &dshift, x, width, y, width, x, width, mean, rstd, gain, m, width, 1)
    }
    run()
    let checksum = Benchmark.checksum(dx + dgain + dshift)
    return BenchmarkResult(nanosecondsPerItem: Benchmark.measure(items: rows, run), checksum: checksum)
  }

  private static func gru(_ rows: Int, _ hidden: Int, backward: Bool) -> BenchmarkResult {
    let gi = ramp(rows * 3 * hidden)
    let gh = gi
    let h = ramp(rows * hidden)
    var next = h
    var dh = h
    var gates = [Float](repeating: 0, count: rows * 4 * hidden)
    var dgi = gi
    var dgh = gi
    let (m, n) = (Int64(rows), Int64(hidden))
    let forward = { ck_gru_forward(&next, n, &gates, 4 * n, gi, 3 * n, gh, 3 * n, h, n, m, n) }
    forward()
    if !backward {
      let checksum = Benchmark.checksum(next + gates)
      return BenchmarkResult(nanosecondsPerItem: Benchmark.measure(items: rows, forward), checksum: checksum)
    }
    let run = { ck_gru_backward(&dgi, 3 * n, &dgh, 3 * n, &dh, n, h, n, gates, 4 * n, h, n, m, n) }
    run()
    let checksum = Benchmark.checksum(dgi + dgh + dh)
    return BenchmarkResult(nanosecondsPerItem: Benchmark.measure(items: rows, run), checksum: checksum)
  }

  // MARK: Inputs

  private static func padded(_ n: Int) -> Int { (n + 15) / 16 * 16 }

  /// `count` values on (-scale, scale) by a multiplicative sequence: equal in every run.
  private static func ramp(_ count: Int, scale: Float = 1) -> [Float] {
    (0..<count).map { (Float((UInt32(truncatingIfNeeded: $0) &* 2_654_435_761) >> 8) * 0x1p-23 - 1) * scale }
  }
}
