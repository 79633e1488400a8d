import Testing

@testable import ServingEnv

@Suite struct ObservationHistoryTests {
  /// One decision of a single replica per (queue, utilisation, time, rate).
  private func history(_ decisions: [(queue: Int, utilization: Double, time: Double, rate: Double)]) -> ObservationHistory {
    var history = ObservationHistory(replicaCount: 1)
    for decision in decisions {
      history.record(replica: 0, queueLength: decision.queue, utilization: decision.utilization)
      history.close(time: decision.time, arrivalRate: decision.rate, routerQueueLength: 1)
    }
    return history
  }

  @Test("utilisations 0.2, 0.4, 0.6 average to 0.362")
  func average() {
    let trend = history([(0, 0.2, 0, 0), (0, 0.4, 1, 0), (0, 0.6, 2, 0)]).trend(replica: 0)
    #expect(abs(trend.utilizationAverage - 0.362) < 1e-15)
    #expect(abs(trend.utilizationDelta - 0.2) < 1e-15)
  }

  @Test("the first decision has no changes and averages equal to its values")
  func first() {
    let history = history([(3, 0.5, 1, 8)])
    var expected = ObservationHistory.ReplicaTrend()
    expected.utilizationAverage = 0.5
    expected.queuePeak = 3
    expected.queueLow = 3
    #expect(history.trend(replica: 0) == expected)
    #expect(history.rateAverage == 8)
    #expect(history.rateTrend == 0)
    #expect(history.rateVariance == 0)
    #expect(history.routerQueueDelta == 0)
  }

  /// Of the queue lengths 9, 1, 5, 3, 2, 4 the ring keeps 1, 5, 3, 2, 4: mean 3, squares 4 + 4 + 0 + 1 + 1 = 10, slope
  /// (-2 * -2 + -1 * 2 + 0 + 1 * -1 + 2 * 1) / 10 = 0.3. The peak 5 was at time 12, near it (4.5) nothing since.
  @Test("trend, variance, extremes and time since peak over five decisions")
  func queue() {
    let queues = [9, 1, 5, 3, 2, 4]
    var trend = history(queues.enumerated().map { ($0.element, 0, 10 + Double($0.offset), 0) }).trend(replica: 0)
    #expect(abs(trend.queueTrend - 0.3) < 1e-15)
    #expect(trend.queueVariance == 2)
    #expect(trend.queuePeak == 5)
    #expect(trend.queueLow == 1)
    #expect(trend.queueDelta == 2)
    #expect(trend.timeSincePeak == 3)
    // 90 % of the peak counts as the peak, the newest such decision decides.
    trend = history([(10, 0, 0, 0), (9, 0, 1, 0), (8, 0, 2.5, 0)]).trend(replica: 0)
    #expect(trend.timeSincePeak == 1.5)
    trend = history([(0, 0, 0, 0), (0, 0, 1, 0)]).trend(replica: 0)
    #expect(trend.timeSincePeak == 0)
  }

  @Test("arrival rates: average, slope of three, variance of ten")
  func rates() {
    let three = history([(0, 0, 0, 10), (0, 0, 1, 20), (0, 0, 2, 16)])
    #expect(abs(three.rateAverage - (0.2 * 16 + 0.8 * (0.2 * 20 + 0.8 * 10))) < 1e-14)
    #expect(three.rateTrend == 3)
    #expect(abs(three.rateVariance - 152.0 / 9) < 1e-13)
    // Eleven values 0, 1, ..., 10: the ring holds 1...10, variance (10^2 - 1) / 12.
    let eleven = history((0..<11).map { (0, 0, Double($0), Double($0)) })
    #expect(abs(eleven.rateVariance - 8.25) < 1e-13)
    #expect(eleven.rateTrend == 1)
  }

  @Test("load balance is 1 for equal and empty queues and falls with their spread")
  func balance() {
    func balance(_ queues: [Int]) -> Double {
      var history = ObservationHistory(replicaCount: queues.count)
      for (replica, queue) in queues.enumerated() { history.record(replica: replica, queueLength: queue, utilization: 0) }
      history.close(time: 0, arrivalRate: 0, routerQueueLength: 1)
      return history.loadBalance
    }
    #expect(balance([3, 3, 3]) == 1)
    #expect(balance([0, 0]) == 1)
    #expect(balance([5]) == 1)
    #expect(balance([0, 2]) == 0.5)
    #expect(abs(balance([1, 0, 0, 0]) - 1 / (1 + 3.0.squareRoot())) < 1e-15)
  }

  @Test("reset forgets everything")
  func reset() {
    var used = history([(9, 0.9, 5, 30), (1, 0.1, 6, 10)])
    used.reset()
    used.record(replica: 0, queueLength: 2, utilization: 0.25)
    used.close(time: 0.5, arrivalRate: 4, routerQueueLength: 1)
    let fresh = history([(2, 0.25, 0.5, 4)])
    #expect(used.trend(replica: 0) == fresh.trend(replica: 0))
    #expect(used.rateAverage == fresh.rateAverage)
    #expect(used.rateVariance == 0)
  }
}

@Suite struct MetricsWindowTests {
  @Test("rates count the last ten seconds, open at the old end")
  func rates() {
    var window = MetricsWindow(seconds: 10)
    for second in 1...12 {
      window.addArrival(at: Double(second))
      if second % 2 == 0 { window.addCompletion(at: Double(second), latency: Double(second)) }
    }
    window.advance(to: 14)
    // (4, 14]: arrivals 5...12, completions 6, 8, 10, 12.
    #expect(window.metrics == ClusterMetrics(time: 14, throughput: 0.4, latency: 9, arrivalRate: 0.8, completions: 4))
    window.advance(to: 16)
    #expect(window.metrics == ClusterMetrics(time: 16, throughput: 0.3, latency: 10, arrivalRate: 0.6, completions: 3))
    // Nothing left: rates 0, latency carried.
    window.advance(to: 30)
    #expect(window.metrics == ClusterMetrics(time: 30, throughput: 0, latency: 10, arrivalRate: 0, completions: 0))
  }

  @Test("a young window is as long as the time passed, at least a second")
  func young() {
    var window = MetricsWindow(seconds: 10)
    window.addArrival(at: 1e-6)
    window.advance(to: 1e-6)
    #expect(window.metrics.arrivalRate == 1)
    window.addArrival(at: 4)
    window.advance(to: 4)
    #expect(window.metrics.arrivalRate == 0.5)
    var short = MetricsWindow(seconds: 0.5)
    short.addArrival(at: 0.1)
    short.advance(to: 0.1)
    #expect(short.metrics.arrivalRate == 2)
  }

  @Test("the ring grows without losing a sample")
  func growth() {
    var samples = SampleWindow(capacity: 2)
    for number in 1...100 {
      samples.append(time: Double(number), value: Double(number))
      if number == 50 { samples.drop(through: 10) }
    }
    #expect(samples.count == 90)
    #expect(samples.sum == 5050 - 55)
  }
}
