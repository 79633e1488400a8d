/// How evenly decisions were spread over the actions. Only a metric: as a reward it would teach the policy to choose at random.
enum ActionBalance {
  /// 1 if all actions were taken equally often, -1 if one took every decision.
  ///
  ///     s = population deviation of the shares     s_max = sqrt(A - 1) / A, that of a single action
  ///     score = 2 max(0, 1 - s / s_max) - 1
  ///
  /// - Parameters:
  ///   - counts: decisions of each action; those from `choices` on are padding and 0.
  ///   - choices: A, the actions there are to choose from.
  static func score(_ counts: [Int], choices: Int) -> Double {
    let total = counts.reduce(0, +)
    guard total > 0 else { return .nan }
    guard choices > 1 else { return 1 }
    let even = 1 / Double(choices)
    var squares = 0.0
    for count in counts.prefix(choices) {
      let distance = Double(count) / Double(total) - even
      squares += distance * distance
    }
    let deviation = (squares * even).squareRoot()
    let largest = Double(choices - 1).squareRoot() * even
    return 2 * max(0, 1 - deviation / largest) - 1
  }
}
