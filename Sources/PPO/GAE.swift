/// Advantages of one environment's rollout by GAE(gamma, lambda) (arXiv 1506.02438).
///
///     delta_t = r_t + gamma (1 - terminal_t) vnext_t - v_t
///     A_t     = delta_t + gamma lambda (1 - terminal_t) (1 - cut_t) A_{t+1}
///
/// Shapes: all `[T]` of one environment, in time order. `terminal[t] == 1`: the episode ended by itself, nothing follows. `cut[t] == 1`:
/// it was cut there (truncation, chunk end). `valuesNext[t]` is the value of the observation that followed; it is read at cuts and at the
/// last step only, elsewhere vnext is `values[t + 1]`. Arithmetic in double precision, rounded once.
///
/// - Complexity: O(T), one backward sweep, no allocation.
public func gae(
  rewards: Span<Float>, values: Span<Float>, valuesNext: Span<Float>, terminal: Span<UInt8>, cut: Span<UInt8>, gamma: Float, lambda: Float,
  advantages: inout MutableSpan<Float>
) {
  precondition(advantages.count == rewards.count, "advantages do not match the rewards")
  gae(
    rewards: rewards, values: values, valuesNext: valuesNext, terminal: terminal, cut: cut, gamma: gamma, lambda: lambda,
    advantages: &advantages, from: 0)
}

/// The same for one environment of several: `advantages` holds all of them and its own begin at `first`.
func gae(
  rewards: Span<Float>, values: Span<Float>, valuesNext: Span<Float>, terminal: Span<UInt8>, cut: Span<UInt8>, gamma: Float, lambda: Float,
  advantages: inout MutableSpan<Float>, from first: Int
) {
  let count = rewards.count
  precondition(values.count == count && valuesNext.count == count, "values do not match the rewards")
  precondition(terminal.count == count && cut.count == count, "flags do not match the rewards")
  precondition(first >= 0 && first + count <= advantages.count, "advantages do not match the rewards")
  let discount = Double(gamma)
  let decay = Double(gamma) * Double(lambda)
  var following = 0.0
  var t = count - 1
  while t >= 0 {
    let isCut = cut[t] != 0
    let next = isCut || t == count - 1 ? Double(valuesNext[t]) : Double(values[t + 1])
    let goesOn = terminal[t] == 0
    let delta = Double(rewards[t]) + (goesOn ? discount * next : 0) - Double(values[t])
    following = delta + (goesOn && !isCut ? decay * following : 0)
    advantages[first + t] = Float(following)
    t -= 1
  }
}
