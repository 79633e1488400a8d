import RunConfig
import ServingSim

extension WorkloadConfiguration {
  /// The workload that a configuration describes.
  init(_ configuration: Configuration, _ inputs: InputFiles) throws(TrainingError) {
    let section = configuration.workload
    let source: Source
    if section.kind == .trace {
      source = .trace(
        try Self.replay(
          section, try inputs.parse("workload.trace") { bytes, name throws(CSVError) in try Trace.parse(bytes: bytes, name: name) }))
    } else {
      let lengths = try inputs.parse("workload.length_trace") { bytes, name throws(CSVError) in
        try Trace.parse(bytes: bytes, name: name, content: .lengths)
      }
      let arrivals = try inputs.parse("workload.interval_trace") { bytes, name throws(CSVError) in
        try Trace.parse(bytes: bytes, name: name, content: .arrivals)
      }
      source = .synthetic(
        Synthetic(
          qps: section.qps > 0 ? section.qps : WorkloadSection.syntheticRate, classes: try Self.classes(section, lengths),
          intervals: try Self.intervals(section, arrivals)))
    }
    self.init(
      source: source, rateProfile: try Self.rateProfile(section), maxTokens: configuration.cluster.maxTokens,
      lengthPolicy: section.overLimit == .clamp ? .clamp : .reject)
  }

  private static func replay(_ section: WorkloadSection, _ trace: Trace?) throws(TrainingError) -> Replay {
    guard let trace else { throw TrainingError(.usage, "workload: a trace is to be replayed, but none was read") }
    return Replay(
      trace: trace, from: section.fromSeconds > 0 ? section.fromSeconds : nil, to: section.toSeconds > 0 ? section.toSeconds : nil,
      qps: section.qps > 0 ? section.qps : nil,
      scale: TraceScale(prefill: section.prefillScale, decode: section.decodeScale, time: section.timeScale))
  }

  private static func intervals(_ section: WorkloadSection, _ arrivals: Trace?) throws(TrainingError) -> IntervalDistribution {
    switch section.intervals {
    case .poisson: .poisson(cap: section.intervalCap > 0 ? section.intervalCap : nil)
    case .gamma: .gamma(coefficientOfVariation: section.intervalCv)
    case .static: .simultaneous
    case .trace: .recorded(try replay(section, arrivals))
    }
  }

  private static func classes(_ section: WorkloadSection, _ trace: Trace?) throws(TrainingError) -> [RequestClass] {
    var all = RequestClassRecord()
    switch section.kind {
    case .conversation: all.lengths = .conversation
    case .fixed: all.lengths = .fixed
    case .uniform: all.lengths = .uniform
    case .zipf: all.lengths = .zipf
    case .lengths: all.lengths = .lengths
    case .trace: preconditionFailure("a trace has no classes")
    case .classes:
      var classes: [RequestClass] = []
      for record in section.classes {
        classes.append(
          RequestClass(share: record.share ?? 1, lengths: try lengths(record, section, trace), priority: record.priority ?? 0))
      }
      return classes
    }
    return [RequestClass(lengths: try lengths(all, section, trace))]
  }

  private static func lengths(
    _ record: RequestClassRecord, _ section: WorkloadSection, _ trace: Trace?
  ) throws(TrainingError) -> LengthDistribution {
    let range = section.tokenRange(of: record)
    switch record.lengths ?? .conversation {
    case .conversation: return .conversation
    case .fixed:
      return .fixed(
        prefillTokens: record.prefillTokens ?? section.fixedPrefillTokens, decodeTokens: record.decodeTokens ?? section.fixedDecodeTokens)
    case .uniform:
      return .uniformTotal(
        range.min...range.max, prefillToDecodeRatio: record.prefillToDecodeRatio ?? section.uniformPrefillToDecodeRatio)
    case .zipf:
      do throws(ServingError) {
        return .zipf(
          try ZipfTotal(
            minTokens: range.min, maxTokens: range.max, theta: record.theta ?? section.zipfTheta,
            prefillToDecodeRatio: record.prefillToDecodeRatio ?? section.zipfPrefillToDecodeRatio, isScrambled: section.zipfScramble))
      } catch {
        throw TrainingError(error)
      }
    case .lengths:
      guard let trace else { throw TrainingError(.usage, "workload.length_trace: no file was read") }
      return .recorded(RecordedLengths(trace: trace, scale: TraceScale(prefill: section.prefillScale, decode: section.decodeScale)))
    }
  }

  private static func rateProfile(_ section: WorkloadSection) throws(TrainingError) -> RateProfile? {
    if section.rateSchedule.isEmpty && section.bursts.isEmpty { return nil }
    do throws(ServingError) {
      return try RateProfile(
        steps: section.rateSchedule.map { RateProfile.Step(atSeconds: $0.atSeconds ?? 0, factor: $0.factor ?? 1) },
        bursts: section.bursts.map {
          RateProfile.Burst(atSeconds: $0.atSeconds ?? 0, durationSeconds: $0.durationSeconds ?? 0, factor: $0.factor ?? 1)
        }, periodSeconds: section.ratePeriodSeconds > 0 ? section.ratePeriodSeconds : nil)
    } catch {
      throw TrainingError(error)
    }
  }
}
