/// A measured time over one size, linear between the measured points.
///
/// Below the smallest size its time holds; above the largest one time grows in proportion to the size. Points with the same size count by their
/// mean.
public struct ProfileCurve: Equatable, Sendable {
  private let sizes: [Double]
  private let times: [Double]

  /// A curve through `points`; nil without any.
  public init?(_ points: [(size: Double, time: Double)]) {
    if points.isEmpty { return nil }
    // Stable by position, so that the sums below have one order.
    let order = points.indices.sorted { (points[$0].size, $0) < (points[$1].size, $1) }
    var sizes: [Double] = []
    var times: [Double] = []
    var index = 0
    while index < order.count {
      let size = points[order[index]].size
      var sum = 0.0
      var count = 0
      while index < order.count && points[order[index]].size == size {
        sum += points[order[index]].time
        count += 1
        index += 1
      }
      sizes.append(size)
      times.append(sum / Double(count))
    }
    self.sizes = sizes
    self.times = times
  }

  /// The time for `size`.
  public func time(_ size: Double) -> Double {
    let last = sizes.count - 1
    if size <= sizes[0] { return times[0] }
    if size >= sizes[last] { return sizes[last] > 0 ? times[last] * (size / sizes[last]) : times[last] }
    var low = 0
    var high = last
    while high - low > 1 {
      let middle = (low + high) / 2
      if sizes[middle] <= size { low = middle } else { high = middle }
    }
    let share = (size - sizes[low]) / (sizes[high] - sizes[low])
    return times[low] + share * (times[high] - times[low])
  }
}

/// A measured time over two sizes: curves over the second one, linear between them in the first one.
public struct ProfileSurface: Equatable, Sendable {
  private let sizes: [Double]
  private let curves: [ProfileCurve]

  /// A surface through `points`; nil without any.
  public init?(_ points: [(first: Double, second: Double, time: Double)]) {
    let ascending = points.map(\.first).sorted()
    var sizes: [Double] = []
    for size in ascending where sizes.last != size { sizes.append(size) }
    self.sizes = sizes
    curves = sizes.compactMap { size in ProfileCurve(points.filter { $0.first == size }.map { ($0.second, $0.time) }) }
    if curves.isEmpty { return nil }
  }

  /// The time for both sizes.
  public func time(_ first: Double, _ second: Double) -> Double {
    let last = sizes.count - 1
    if first <= sizes[0] { return curves[0].time(second) }
    if first >= sizes[last] { return curves[last].time(second) * (sizes[last] > 0 ? first / sizes[last] : 1) }
    let high = sizes.firstIndex { $0 > first } ?? last
    let share = (first - sizes[high - 1]) / (sizes[high] - sizes[high - 1])
    let lower = curves[high - 1].time(second)
    return lower + share * (curves[high].time(second) - lower)
  }
}
