import ArgumentParser

/// Short options of the section `warmstart` that collecting uses.
struct TeachingOptions: ParsableArguments {
  @Option(help: "Rule that labels: lor (fewest waiting requests), lor_full (fewest requests), lot or jsw (fewest outstanding tokens).")
  var teacher: String?
  @Option(help: "Policies that act, comma-separated: teacher, random, round_robin, lor, lor_full, lot.")
  var behaviours: String?
  @Option(help: "Episodes of each behaviour policy in each scenario.")
  var episodes: Int?
  @Option(help: "Decisions of an episode.")
  var episodeDecisions: Int?

  /// As overrides of keys.
  var overrides: [String] {
    var list: [String] = []
    if let teacher { list.append("warmstart.teacher=\(Self.name(teacher))") }
    if let behaviours {
      list.append("warmstart.behaviours=" + behaviours.split(separator: ",").map { Self.name(String($0)) }.joined(separator: ","))
    }
    if let episodes { list.append("warmstart.episodes=\(episodes)") }
    if let episodeDecisions { list.append("warmstart.episode_decisions=\(episodeDecisions)") }
    return list
  }

  /// The literature's name for the rule with the fewest outstanding tokens is known, too.
  private static func name(_ text: String) -> String { text == "jsw" ? "lot" : text }
}
