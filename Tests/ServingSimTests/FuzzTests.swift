import Randomness
import Testing

@testable import ServingSim

/// Thousands of damaged files: each is read or refused with its place, nothing traps or hangs.
@Suite struct FuzzTests {
  static let trace = "arrived_at,num_prefill_tokens,num_decode_tokens,priority\n0.5,10,5,1\n1.25,200,50,0\n7,1,1,-2\n7,33,3,0\n"
  static let dates = "arrival_time\n2023-11-16 18:17:03.979\n2023-11-16 18:17:04\n2024-02-29T00:00:00Z\n"
  static let routes = "request_id,replica\n0,1\n1,2\n2,0\n3,3\n"
  static let collective =
    ",time_stats.all_reduce.median,rank,num_workers,size,collective,devices_per_node,max_devices_per_node\n0,0.04,0,2,2048,all_reduce,2,8\n"
    + "1,0.05,0,2,4096,all_reduce,2,8\n"
  static let pieces = [
    ",", "\n", "\r\n", "-", "1e400", "nan", "inf", "-0", "0x10", "99999999999999999999", "1e308", "\"", "\u{0}", "\u{FEFF}", " ",
    "2147483648", ".",
    "arrived_at", "1e-320", "True",
  ]

  static func damaged(_ text: String, _ stream: inout RandomStream) -> [UInt8] {
    var bytes = Array(text.utf8)
    for _ in 0...stream.bounded(3) {
      let place = bytes.isEmpty ? 0 : stream.bounded(bytes.count)
      switch stream.bounded(5) {
      case 0 where !bytes.isEmpty: bytes[place] = UInt8(stream.bounded(256))
      case 1 where !bytes.isEmpty: bytes.removeSubrange(place..<min(bytes.count, place + 1 + stream.bounded(12)))
      case 2: bytes.insert(contentsOf: Array(pieces[stream.bounded(pieces.count)].utf8), at: place)
      case 3: bytes.insert(contentsOf: Array(bytes[place..<min(bytes.count, place + 20)]), at: place)
      default: bytes.removeLast(min(bytes.count, stream.bounded(10)))
      }
    }
    return bytes
  }

  @Test("a damaged trace is a valid workload or an error with its place", arguments: 0..<4)
  func traces(part: Int) throws {
    var (read, refused) = (0, 0)
    for index in 0..<1500 {
      var stream = RandomStream(seed: UInt64(part), purpose: .lengths, index: index)
      let bytes = Self.damaged(Self.trace, &stream)
      do throws(CSVError) {
        let trace = try Trace.parse(bytes: bytes, name: "t.csv")
        read += 1
        simulate(trace, seed: index)
      } catch {
        refused += 1
        #expect(error.file == "t.csv" && error.line >= 1 && error.description.hasPrefix("t.csv:"), "part \(part), case \(index)")
      }
    }
    #expect(read > 100 && refused > 100, "\(read) read, \(refused) refused")
  }

  /// A trace that could be read also runs, or its workload says why not.
  private func simulate(_ trace: Trace, seed: Int) {
    let scale = TraceScale(prefill: 1.5, decode: 0.7, time: 1)
    for begin in [WorkloadConfiguration.Replay.Begin.firstRow, .drawnRow] {
      let source = WorkloadConfiguration.Source.trace(.init(trace: trace, scale: scale, begin: begin))
      guard var workload = try? Workload(WorkloadConfiguration(source: source, maxTokens: 256), seed: UInt64(seed)),
        var cluster = try? ClusterSimulation(ClusterConfiguration(replicaCount: 2, maxTokens: 256))
      else { continue }
      var taken = 0
      while true {
        while taken < 8 && cluster.pendingArrivalCount == 0 {
          cluster.enqueueArrival(workload.next())
          taken += 1
        }
        guard let request = cluster.runUntilDecision() else { break }
        cluster.route(to: request % 2)
      }
      #expect(cluster.completedCount + cluster.rejectedCount == 8, "case \(seed)")
    }
  }

  @Test("damaged dates, routes and profiles are read or refused with their place")
  func others() {
    for index in 0..<4000 {
      var stream = RandomStream(seed: 99, purpose: .lengths, index: index)
      do throws(CSVError) {
        switch index % 4 {
        case 0: _ = try Trace.parse(bytes: Self.damaged(Self.dates, &stream), name: "t.csv", content: .arrivals)
        case 1: _ = try Trace.parse(bytes: Self.damaged(Self.trace, &stream), name: "t.csv", content: .lengths)
        case 2: _ = try ReplayedRoutes.parse(bytes: Self.damaged(Self.routes, &stream), name: "t.csv", replicaCount: 4)
        default:
          let curve = try MeasuredTimes.allReduce(
            bytes: Self.damaged(Self.collective, &stream), name: "t.csv", subject: MeasuredTimesTests.subject)
          #expect(curve.time(100) >= 0)
        }
      } catch {
        #expect(error.description.hasPrefix("t.csv:"), "case \(index)")
      }
    }
  }

  @Test("random workloads over their whole ranges are refused or give ordered, finite requests that fit")
  func workloads() {
    var valid = 0
    for index in 0..<3000 {
      var stream = RandomStream(seed: 7, purpose: .lengths, index: index)
      func pick<Value>(_ values: [Value]) -> Value { values[stream.bounded(values.count)] }
      let lengths: [LengthDistribution] = [
        .conversation, .fixed(prefillTokens: pick([0, 1, 5000]), decodeTokens: pick([1, 3, 1 << 24])),
        .uniformTotal(pick([1, 2, 7])...pick([7, 4096, 1 << 24]), prefillToDecodeRatio: pick([0, 1e-9, 1, 1e6])),
      ]
      let intervals: [IntervalDistribution] = [
        .poisson(cap: nil), .poisson(cap: pick([0, 1e-3, 3])), .gamma(coefficientOfVariation: pick([1e-4, 1e-3, 1, 100])), .simultaneous,
      ]
      let steps = (0..<stream.bounded(3)).map {
        RateProfile.Step(atSeconds: Double($0) * pick([0, 1, 1e11]), factor: pick([0, 1e-6, 1, 1e6]))
      }
      let profile = try? RateProfile(steps: steps, periodSeconds: pick([nil, 1e-3, 10, 1e12]))
      let classes = (0...stream.bounded(2)).map { _ in RequestClass(share: pick([1e-9, 1, 1e9]), lengths: pick(lengths)) }
      let configuration = WorkloadConfiguration(
        source: .synthetic(.init(qps: pick([0, 1e-9, 1, 1e6, 1e9]), classes: classes, intervals: pick(intervals))), rateProfile: profile,
        maxTokens: pick([2, 3, 4096]), lengthPolicy: pick([.clamp, .reject]))
      guard var workload = try? Workload(configuration, seed: UInt64(index)) else { continue }
      valid += 1
      var last = 0.0
      for _ in 0..<20 {
        let request = workload.next()
        #expect(request.arrivedAt.isFinite && request.arrivedAt >= last, "case \(index)")
        #expect(request.prefillTokens >= 1 && request.decodeTokens >= 1 && request.totalTokens <= configuration.maxTokens, "case \(index)")
        last = request.arrivedAt
      }
    }
    #expect(valid > 500, "\(valid) valid")
  }
}
