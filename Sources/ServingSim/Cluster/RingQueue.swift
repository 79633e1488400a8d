/// A double-ended queue of slot numbers over a power-of-two ring: push and pop at both ends in O(1), amortised over growth.
struct RingQueue: Equatable, Sendable {
  private var storage: [Int] = []
  private var head = 0
  private(set) var count = 0

  var isEmpty: Bool { count == 0 }
  var indices: Range<Int> { 0..<count }

  /// The element `offset` places behind the front.
  subscript(offset: Int) -> Int {
    get {
      precondition(offset >= 0 && offset < count, "ring queue index out of range")
      return storage[(head &+ offset) & (storage.count &- 1)]
    }
    set {
      precondition(offset >= 0 && offset < count, "ring queue index out of range")
      storage[(head &+ offset) & (storage.count &- 1)] = newValue
    }
  }

  var first: Int? { count == 0 ? nil : storage[head] }

  mutating func append(_ element: Int) {
    if count == storage.count { grow() }
    storage[(head &+ count) & (storage.count &- 1)] = element
    count &+= 1
  }

  mutating func prepend(_ element: Int) {
    if count == storage.count { grow() }
    head = (head &- 1) & (storage.count &- 1)
    storage[head] = element
    count &+= 1
  }

  /// Puts an element `offset` places behind the front, O(count - offset).
  mutating func insert(_ element: Int, at offset: Int) {
    append(element)
    var place = count - 1
    while place > offset {
      self[place] = self[place - 1]
      place -= 1
    }
    self[offset] = element
  }

  mutating func removeFirst() -> Int {
    precondition(count > 0, "removeFirst on an empty ring queue")
    let element = storage[head]
    head = (head &+ 1) & (storage.count &- 1)
    count &-= 1
    return element
  }

  /// Takes the element `offset` places behind the front, O(offset).
  mutating func remove(at offset: Int) -> Int {
    let element = self[offset]
    var place = offset
    while place > 0 {
      self[place] = self[place - 1]
      place -= 1
    }
    _ = removeFirst()
    return element
  }

  mutating func removeAll() {
    head = 0
    count = 0
  }

  private mutating func grow() {
    var larger = [Int](repeating: 0, count: max(8, storage.count * 2))
    for offset in 0..<count { larger[offset] = storage[(head &+ offset) & (storage.count &- 1)] }
    storage = larger
    head = 0
  }

  /// Equal when the queued elements are; the place in the ring does not count.
  static func == (left: RingQueue, right: RingQueue) -> Bool {
    guard left.count == right.count else { return false }
    for offset in 0..<left.count where left[offset] != right[offset] { return false }
    return true
  }
}
