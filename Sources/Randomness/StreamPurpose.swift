/// What a random stream is drawn for. Two purposes never share a draw, so adding draws to one cannot shift another.
///
/// The raw values enter the key of every stream: changing one changes results and needs a new determinism version.
public enum StreamPurpose: UInt32, CaseIterable, Sendable {
  /// Initial network parameters; index = tensor.
  case initialisation = 1
  /// One action; index = decision in the chunk.
  case action = 2
  /// Uniform actions while statistics stabilise; index = decision in the chunk.
  case stabilisation = 3
  /// Minibatch order; index = update and epoch.
  case shuffle = 4
  /// Arrival intervals of a workload; index = request.
  case arrivals = 5
  /// Token counts of a workload; index = request.
  case lengths = 6
  /// First row of a replayed trace.
  case window = 7
  /// Initial states of an environment; index = episode.
  case environment = 8
  /// Choices of a randomised heuristic; index = decision.
  case heuristic = 9
  /// Resampling of confidence intervals; index = resample.
  case bootstrap = 10
  /// Ranks, moments and victims of a proof that kills a run; index = run.
  case kill = 11
  /// Order of the rows of a table of request lengths.
  case rows = 20
  /// Division of demonstrations into training and validation.
  case cloningSplit = 23
  /// Order of sequences in behaviour cloning; index = epoch.
  case cloningOrder = 24
  /// Which replica a demonstrated scenario burdens.
  case scenario = 25
  /// Whether a decision is labelled by credit assignment; index = decision in the chunk.
  case creditLabel = 30
}
