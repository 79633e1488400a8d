/// Finds the key somebody probably meant.
enum Suggestion {
  /// `, did you mean "x"?` or an empty text if nothing is near.
  static func text(for path: String, isSection: Bool) -> String {
    let candidates = isSection ? Schema.sections.map(\.name) : Schema.fields.map(\.path)
    guard let nearest = nearest(to: path, among: candidates) else { return "" }
    return ", did you mean \"\(nearest)\"?"
  }

  /// The first candidate of least distance. A key with the same name in another section counts as near; otherwise at most a third of
  /// the letters, and at least two, may differ.
  static func nearest(to path: String, among candidates: [String]) -> String? {
    let key = path.split(separator: ".").last.map(String.init) ?? path
    var best: (distance: Int, candidate: String)?
    for candidate in candidates {
      let sameKey = candidate.split(separator: ".").last.map(String.init) == key
      let distance = sameKey ? 1 : distance(path, candidate)
      if distance < best?.distance ?? Int.max { best = (distance, candidate) }
    }
    guard let best, best.distance <= max(2, path.count / 3) else { return nil }
    return best.candidate
  }

  /// Levenshtein's distance: insertions, deletions and replacements of characters. O(length * length).
  static func distance(_ a: String, _ b: String) -> Int {
    let (a, b) = (Array(a.utf8.prefix(200)), Array(b.utf8.prefix(200)))
    var row = Array(0...b.count)
    for (i, x) in a.enumerated() {
      var diagonal = row[0]
      row[0] = i + 1
      for (j, y) in b.enumerated() {
        let replaced = diagonal + (x == y ? 0 : 1)
        diagonal = row[j + 1]
        row[j + 1] = min(replaced, row[j] + 1, row[j + 1] + 1)
      }
    }
    return row[b.count]
  }
}
