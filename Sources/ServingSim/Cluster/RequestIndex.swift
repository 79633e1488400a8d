/// Slots by request id: a ring over the ids from the oldest live request to the newest one.
struct RequestIndex: Equatable, Sendable {
  private var slots = RingQueue()
  private var firstID = 0

  /// The id that `append` gives next.
  var nextID: Int { firstID + slots.count }

  mutating func append(slot: Int) { slots.append(slot) }

  /// The slot of a live request.
  func slot(of id: Int) -> Int? {
    let offset = id - firstID
    guard offset >= 0 && offset < slots.count else { return nil }
    let slot = slots[offset]
    return slot < 0 ? nil : slot
  }

  /// Forgets `id`, and with it every dead id at the old end.
  mutating func remove(_ id: Int) {
    slots[id - firstID] = -1
    while let slot = slots.first, slot < 0 {
      _ = slots.removeFirst()
      firstID += 1
    }
  }
}
