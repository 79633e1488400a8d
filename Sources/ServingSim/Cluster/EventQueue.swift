/// Pending events in the total order (time, changes of availability first, then arrivals, creation id).
///
/// Changes of availability are known from the start. Arrivals come in nondecreasing time and form a FIFO. Events for the instant being handled form
/// a second FIFO: every event of that instant in the heap was created earlier, so it has the smaller id and precedes them. What lies in the
/// future is in a binary heap, which holds at most one event per busy pipeline stage.
///
/// Invariants: arrivals are sorted by (time, id); `immediate` holds events of time `now` only, in id order; no heap event is before `now`.
struct EventQueue: Equatable, Sendable {
  /// Time of the last event popped, seconds.
  private(set) var now = 0.0
  /// Time of the latest stage end that `ClusterSimulation.fastForward` handled; such ends leave `now` alone.
  private(set) var latest = 0.0
  private(set) var nextID = 1
  private var arrivals = Fifo()
  private var immediate = Fifo()
  private var heap: [Event] = []
  /// Times of the changes of availability, nondecreasing.
  private let changeTimes: [Double]
  private var nextChange = 0

  init(changeTimes: [Double] = []) { self.changeTimes = changeTimes }

  /// Back to the start: no event is pending but for the changes of availability.
  mutating func reset() { self = EventQueue(changeTimes: changeTimes) }

  var arrivalCount: Int { arrivals.count }
  var lastArrivalTime: Double? { arrivals.last?.time }

  /// Adds the arrival of the request in `slot`. `time` must not precede an earlier arrival or the clock.
  mutating func pushArrival(time: Double, slot: Int) {
    arrivals.append(Event(time: time, id: nextID, kind: .requestArrival, batch: Int32(truncatingIfNeeded: slot)))
    nextID &+= 1
  }

  /// Adds an event for the instant being handled.
  mutating func pushNow(_ kind: EventKind, replica: Int32 = -1, stage: Int32 = -1, batch: Int32 = -1) {
    immediate.append(Event(time: now, id: nextID, kind: kind, replica: replica, stage: stage, batch: batch))
    nextID &+= 1
  }

  /// Adds a stage end at `time`, not before the clock.
  mutating func pushStageEnd(at time: Double, replica: Int32, stage: Int32, batch: Int32) {
    precondition(time >= now, "an event may not lie in the past")
    if time == now {
      pushNow(.batchStageEnd, replica: replica, stage: stage, batch: batch)
      return
    }
    pushEnd(at: time, replica: replica, stage: stage, batch: batch)
  }

  private var nextChangeTime: Double { nextChange < changeTimes.count ? changeTimes[nextChange] : .infinity }

  /// Time of the next event, nil if there is none.
  ///
  /// - Parameter changes: whether changes of availability count even if nothing else is pending.
  func nextTime(changes: Bool) -> Double? {
    if !immediate.isEmpty { return now }
    let heapTime = heap.isEmpty ? Double.infinity : heap[0].time
    let time = arrivals.isEmpty ? heapTime : min(arrivals.firstTime, heapTime)
    if time == .infinity && !changes { return nil }
    let first = min(time, nextChangeTime)
    return first == .infinity ? nil : first
  }

  /// Takes the next event and sets the clock to it.
  mutating func pop() -> Event? {
    let heapTime = heap.isEmpty ? Double.infinity : heap[0].time
    let arrivalTime = arrivals.isEmpty ? Double.infinity : arrivals.firstTime
    if nextChange < changeTimes.count {
      let time = changeTimes[nextChange]
      if time <= min(arrivalTime, heapTime) && (immediate.isEmpty || time <= now) {
        now = time
        nextChange += 1
        nextID &+= 1
        return Event(time: time, id: nextID &- 1, kind: .availabilityChange, batch: Int32(truncatingIfNeeded: nextChange - 1))
      }
    }
    if !arrivals.isEmpty && arrivalTime <= heapTime && (immediate.isEmpty || arrivalTime <= now) {
      now = arrivalTime
      return arrivals.removeFirst()
    }
    if !immediate.isEmpty && heapTime > now { return immediate.removeFirst() }
    if heap.isEmpty { return nil }
    now = heapTime
    return popHeap()
  }

  // MARK: Fast forward

  /// Whether no event of the present instant is left.
  var isBetweenInstants: Bool { immediate.isEmpty }

  /// The next arrival or change of availability: until then replicas do not see each other.
  var horizon: Double { min(arrivals.isEmpty ? .infinity : arrivals.firstTime, nextChangeTime) }

  /// The earliest stage end.
  var firstEnd: Event? { heap.first }

  /// Takes the earliest stage end, leaving `now` where it is.
  mutating func removeFirstEnd() {
    latest = max(latest, heap[0].time)
    _ = popHeap()
  }

  /// The same batch ends again at `time`, and has ended at `handled` for the last time before it.
  mutating func moveFirstEnd(to time: Double, handled: Double) {
    latest = max(latest, handled)
    var event = heap[0]
    event.time = time
    event.id = nextID
    nextID &+= 1
    siftDown(event)
  }

  /// Adds a stage end without looking at `now`.
  mutating func pushEnd(at time: Double, replica: Int32, stage: Int32, batch: Int32) {
    heap.append(Event(time: time, id: nextID, kind: .batchStageEnd, replica: replica, stage: stage, batch: batch))
    nextID &+= 1
    siftUp()
  }

  /// Changes of availability handled so far.
  var handledChanges: Int { nextChange }

  /// Forgets the ends of the stages of `replica`.
  mutating func removeEnds(of replica: Int) {
    let kept = heap.filter { Int($0.replica) != replica }
    heap.removeAll(keepingCapacity: true)
    for event in kept {
      heap.append(event)
      siftUp()
    }
  }

  private static func precedes(_ left: Event, _ right: Event) -> Bool {
    left.time < right.time || (left.time == right.time && left.id < right.id)
  }

  private mutating func siftUp() {
    var child = heap.count - 1
    let event = heap[child]
    while child > 0 {
      let parent = (child - 1) / 2
      if !Self.precedes(event, heap[parent]) { break }
      heap[child] = heap[parent]
      child = parent
    }
    heap[child] = event
  }

  private mutating func popHeap() -> Event {
    let top = heap[0]
    let event = heap.removeLast()
    if !heap.isEmpty { siftDown(event) }
    return top
  }

  /// Puts `event` in the place of the top.
  private mutating func siftDown(_ event: Event) {
    let count = heap.count
    var parent = 0
    while true {
      var child = 2 * parent + 1
      if child >= count { break }
      if child + 1 < count && Self.precedes(heap[child + 1], heap[child]) { child += 1 }
      if !Self.precedes(heap[child], event) { break }
      heap[parent] = heap[child]
      parent = child
    }
    heap[parent] = event
  }
}

extension EventQueue {
  /// Events in order of arrival over an array that is compacted when it has been emptied or half of it is spent.
  struct Fifo: Equatable, Sendable {
    private var storage: [Event] = []
    private var head = 0

    var count: Int { storage.count - head }
    var isEmpty: Bool { head == storage.count }
    var first: Event? { isEmpty ? nil : storage[head] }
    var last: Event? { isEmpty ? nil : storage[storage.count - 1] }
    var firstTime: Double { storage[head].time }

    mutating func append(_ event: Event) { storage.append(event) }

    mutating func removeFirst() -> Event {
      let event = storage[head]
      head &+= 1
      if head == storage.count {
        storage.removeAll(keepingCapacity: true)
        head = 0
      } else if head >= 1024 && head &* 2 >= storage.count {
        storage.removeFirst(head)
        head = 0
      }
      return event
    }
  }
}
