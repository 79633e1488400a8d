/// One step per batch instead of six events, and decode steps that repeat themselves in a tight loop.
///
/// Between two arrivals or changes of availability no replica sees another, and on a replica of one stage only one thing at a time happens: so the end of
/// a batch and all that follows from it are handled at once. What happens at the instant of an arrival or change goes through the event queue, because
/// there the order of events shows, and so do replicas of several stages. Times, requests, replicas and counters are those of the event by event form, bit for
/// bit; ids of batches and events, and with them the slots of requests that end at one instant, are not.
extension ClusterSimulation {
  /// Handles the ends of batches before `horizon`, up to the first one on a replica of several stages.
  mutating func fastForward(below horizon: Double) {
    while let end = queue.firstEnd, end.time < horizon, replicas[Int(end.replica)].stages.count == 1 {
      if replicas[Int(end.replica)].isSteady && repeatSteps(of: end, below: horizon) { continue }
      queue.removeFirstEnd()
      follow(end)
    }
  }

  /// The end of a batch on a replica of one stage and what follows from it.
  private mutating func follow(_ end: Event) {
    let index = Int(end.replica)
    endStage(index, stage: 0, batch: Int(end.batch), at: end.time)
    endBatch(index, batch: Int(end.batch), at: end.time)
    // BatchStageEnd, ReplicaStageSchedule, BatchEnd, ReplicaSchedule; BatchStageArrival and ReplicaStageSchedule of the next batch.
    countEvents(4)
    guard let formed = formBatch(index, at: end.time) else { return }
    countEvents(2)
    replicas[index].stages[0].queue.append(formed)
    if let (slot, time) = startStage(index, stage: 0, at: end.time) {
      queue.pushEnd(at: time, replica: end.replica, stage: 0, batch: Int32(truncatingIfNeeded: slot))
    }
  }

  // MARK: Steps that repeat themselves

  /// Values of the steps of one tight loop.
  private typealias Steps<Value> = InlineArray<32, Value>

  /// Ends the batch of `end`, which is the earliest one, and starts the same one again, as long as nothing else can happen and it ends before `horizon`.
  ///
  /// - Returns: whether it ended at all; the queue has its next end then. False as well where tables say how long a step takes.
  private mutating func repeatSteps(of end: Event, below horizon: Double) -> Bool {
    let index = Int(end.replica)
    let slot = Int(end.batch)
    let members = batches[slot].members.count
    let limits = models[replicas[index].model].limits
    let most = min(Steps<Double>.count, replicas[index].repetitions(stepsLeft: batches[slot].stepsLeft, members: members, limits: limits))
    if most <= 0 { return false }
    let clock = models[replicas[index].model].clock(stage: 0, batch: &batches[slot], requests: requests)
    if !clock.decode.isAffine || clock.engine != 0 { return false }

    let start = batches[slot].stageStartedAt
    let context = batches[slot].decodeContextTokens
    var seconds = Steps<Double>(repeating: 0)
    var ends = Steps<Double>(repeating: 0)
    var steps = 0
    var stageTime = batches[slot].stageTime
    var next = end.time
    while steps < most && next < horizon {
      seconds[steps] = stageTime.total
      ends[steps] = next
      steps &+= 1
      stageTime = clock.time(contextTokens: context &+ steps &* members)
      next += stageTime.total
    }
    let last = ends[steps - 1]

    // The members, then their replica, then the batch now in flight.
    addExecution(slot, seconds.span.extracting(first: steps))
    var grown = Steps<Int>(repeating: 0)
    bookSteps(slot, steps, from: start, to: last, blockSize: limits.blockSize, grown: &grown)
    var busySeconds = replicas[index].stages[0].busySeconds
    var before = start
    for step in 0..<steps {
      busySeconds += ends[step] - before
      before = ends[step]
      if grown[step] > 0 {
        replicas[index].allocatedBlocks += grown[step]
        replicas[index].noteBlocks(at: before)
      }
    }
    replicas[index].stages[0].busySeconds = busySeconds
    replicas[index].stepsRepeated(steps, members: members, contextTokens: context, limits: limits)
    batches[slot].stepsRepeated(steps, id: nextBatchID &+ steps &- 1)
    batches[slot].stageStartedAt = last
    batches[slot].stageTime = stageTime
    nextBatchID &+= steps
    countEvents(6 &* steps)
    queue.moveFirstEnd(to: next, handled: last)
    return true
  }

  /// Adds the times of successive steps, one by one, to the execution times of the members of a batch; eight members side by side.
  private mutating func addExecution(_ slot: Int, _ seconds: borrowing Span<Double>) {
    let members = batches[slot].members
    var first = 0
    while first < members.count {
      let width = min(8, members.count &- first)
      var total = SIMD8<Double>(repeating: 0)
      var model = SIMD8<Double>(repeating: 0)
      for lane in 0..<width {
        let place = Int(members[first &+ lane].slot)
        total[lane] = requests[place].executionSeconds
        model[lane] = requests[place].modelExecutionSeconds
      }
      // The same terms on the same sums give the same bits: the model takes all of the time here, but may not have done so elsewhere.
      let areEqual = total == model
      for step in seconds.indices { total += SIMD8(repeating: seconds[step]) }
      if areEqual {
        model = total
      } else {
        for step in seconds.indices { model += SIMD8(repeating: seconds[step]) }
      }
      for lane in 0..<width {
        let place = Int(members[first &+ lane].slot)
        requests[place].executionSeconds = total[lane]
        requests[place].modelExecutionSeconds = model[lane]
      }
      first &+= 8
    }
  }

  /// Books `steps` steps of the members of a batch, the first of which began at `start` and the last of which ended at `end`.
  ///
  /// - Parameter grown: element i grows by the blocks that the members took for the step after step i.
  private mutating func bookSteps(
    _ slot: Int, _ steps: Int, from start: Double, to end: Double, blockSize: Int, grown: inout Steps<Int>
  ) {
    for member in batches[slot].members {
      let place = Int(member.slot)
      var held = requests[place].heldBlocks
      var step = held &* blockSize &- requests[place].processedTokens
      while step < steps {
        grown[step] &+= 1
        held &+= 1
        step &+= blockSize
      }
      requests[place].heldBlocks = held
      requests[place].stepsRepeated(steps, from: start, to: end)
    }
  }
}

extension Replica {
  /// How many times the steady batch in flight can end and be formed again unchanged: until a member is done, an attempt to admit is due, or
  /// memory might run short.
  ///
  /// - Parameter stepsLeft: until the first member is done.
  fileprivate func repetitions(stepsLeft: Int, members: Int, limits: SchedulerLimits) -> Int {
    let steps = stepsLeft - 1
    let free = freeBlocks(limits)
    switch limits.kind {
    case .orca, .fasterTransformer: return steps
    case .lightllm(_, let maxWaitingIterations): return min(steps, maxWaitingIterations - waitingIterations, free / members)
    case .vllm, .sarathi, .vllmV1:
      // Each member takes at most one block more than its new tokens fill, and one must stay free for whoever asks without need.
      if members * (steps / limits.blockSize + 1) < free { return steps }
      return min(steps, ((free - 1) / members - 1) * limits.blockSize)
    }
  }

  fileprivate mutating func stepsRepeated(_ steps: Int, members: Int, contextTokens: Int, limits: SchedulerLimits) {
    outstandingTokens &-= steps &* members
    use.add(steps: steps, members: members, contextTokens: contextTokens)
    if case .lightllm = limits.kind { waitingIterations &+= steps }
  }
}

extension Batch {
  fileprivate mutating func stepsRepeated(_ steps: Int, id: Int) {
    self.id = id
    stepsLeft &-= steps
    decodeContextTokens &+= steps &* members.count
    pairs &+= steps &* members.count
  }
}

extension Request {
  fileprivate mutating func stepsRepeated(_ steps: Int, from start: Double, to end: Double) {
    // Between the steps no time is lost.
    preemptedSeconds += start - lastStageCompletedAt
    lastStageCompletedAt = end
    processedTokens &+= steps
  }
}
