import Glibc

/// One measurement that can be listed and run.
struct BenchmarkCase {
  /// Name with dots, such as `gemm.forward`.
  let name: String
  /// The sizes it runs at, outermost first.
  let extents: [Int]
  let run: () -> BenchmarkResult
}

/// What a case measured.
struct BenchmarkResult {
  /// Best time of one item in nanoseconds.
  let nanosecondsPerItem: Double
  /// Floating-point operations of one item, or nil where the number says nothing.
  var operationsPerItem: Double?
  /// Hash of what the first call returned: equal on all machines.
  let checksum: UInt64
  /// Further figures by name, in order.
  var more: [(name: String, value: Double)] = []
}

/// Timing and output that all groups of cases share.
enum Benchmark {
  /// Windows that the measuring time is cut into; the best one counts, the others were disturbed.
  private static let windows = 8

  /// Nanoseconds of the monotonic or another clock.
  static func now(_ clock: clockid_t = CLOCK_MONOTONIC) -> UInt64 {
    var time = timespec()
    clock_gettime(clock, &time)
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
  }

  /// Best nanoseconds per item of `body`, which handles `items` items per call.
  ///
  /// The calls per window double until a window is long enough; this warms up caches and clocks too.
  static func measure(
    items: Int, minimumSeconds: Double = 0.2, clock: clockid_t = CLOCK_MONOTONIC, _ body: () -> Void
  ) -> Double {
    precondition(items >= 1, "a benchmark needs items")
    let target = UInt64(minimumSeconds * 1e9) / UInt64(windows)
    func window(_ calls: Int) -> UInt64 {
      let start = now(clock)
      for _ in 0..<calls { body() }
      return now(clock) - start
    }
    var calls = 1
    var best = window(calls)
    while best < target {
      calls *= 2
      best = window(calls)
    }
    for _ in 1..<windows { best = min(best, window(calls)) }
    return Double(best) / Double(calls) / Double(items)
  }

  /// FNV-1a over the bits of `values`.
  static func checksum(_ values: some Sequence<Float>) -> UInt64 {
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    for value in values { hash = (hash ^ UInt64(value.bitPattern)) &* 0x0000_0100_0000_01b3 }
    return hash
  }

  /// `result` as one line of JSON.
  static func line(_ item: BenchmarkCase, _ result: BenchmarkResult) -> String {
    let extents = item.extents.map(String.init).joined(separator: ", ")
    // Operations per nanosecond are 10^9 per second.
    let speed = result.operationsPerItem.map { decimal($0 / result.nanosecondsPerItem) } ?? "null"
    let digits = String(result.checksum, radix: 16)
    let checksum = String(repeating: "0", count: 16 - digits.count) + digits
    return
      "{\"case\": \"\(item.name)\", \"extents\": [\(extents)], \"ns_per_item\": \(decimal(result.nanosecondsPerItem)), "
      + "\"gflops\": \(speed), \"checksum\": \"\(checksum)\""
      + result.more.map { ", \"\($0.name)\": \(decimal($0.value))" }.joined() + "}"
  }

  /// Three decimals.
  private static func decimal(_ x: Double) -> String {
    let thousandths = Int((x * 1000).rounded())
    let fraction = String(thousandths % 1000)
    return "\(thousandths / 1000)." + String(repeating: "0", count: 3 - fraction.count) + fraction
  }
}
