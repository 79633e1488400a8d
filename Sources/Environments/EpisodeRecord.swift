/// Summary of an episode that ended or was cut.
public struct EpisodeRecord: Equatable, Sendable {
  /// Decisions.
  public var length: Int
  /// Sum of the rewards as `StepResult` gave them, added in time order in double precision.
  public var `return`: Double
  /// Values named by `Environment.episodeFields`.
  public var values: [Double]

  /// A record of `length` decisions.
  public init(length: Int, return: Double, values: [Double] = []) {
    self.length = length
    self.return = `return`
    self.values = values
  }
}
