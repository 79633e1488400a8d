/// A batch script as it stands under `cluster/`, and the lines of it that are filled in.
struct JobScriptTemplate: Equatable {
  /// Path in the source tree.
  let path: String
  /// The whole file.
  let text: String

  /// One line that is replaced.
  struct Filling: Equatable {
    /// How the line begins; exactly one line of the template does.
    let prefix: String
    let line: String

    /// The line that begins with `prefix` becomes `prefix` and `value`.
    init(_ prefix: String, _ value: some CustomStringConvertible) {
      self.prefix = prefix
      line = prefix + value.description
    }

    /// The line that begins with `prefix` becomes `line`.
    init(_ prefix: String, line: String) {
      self.prefix = prefix
      self.line = line
    }
  }

  /// The file with `fillings` in place.
  func filled(_ fillings: [Filling]) -> String {
    var lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    for filling in fillings {
      let places = lines.indices.filter { lines[$0].hasPrefix(filling.prefix) }
      precondition(places.count == 1, "\(path): \(places.count) lines begin with \(filling.prefix)")
      lines[places[0]] = filling.line
    }
    return lines.joined(separator: "\n")
  }
}

/// The batch systems that there are scripts for.
enum BatchSystem: String, CaseIterable {
  case slurm
  case sge
  case pbs
  case lsf
  case kubernetes
}

/// What a batch script is filled in with.
struct JobScriptSettings {
  var system: BatchSystem
  var isChain = false
  var nodes = 1
  var ranksPerNode = 8
  var time: TimeSpan?
  var queue: String?
  var account: String?
  var jobName: String?
  var launcher: String?
  var program: String
  var outputDirectory: String
  var maxChunks: Int?
  var scratch: String?
  /// Options of `ppo-chunked train`.
  var arguments: [String] = []

  /// The file to fill in.
  var template: JobScriptTemplate {
    switch system {
    case .slurm: isChain ? .slurmChain : .slurm
    case .sge: .sge
    case .pbs: .pbs
    case .lsf: .lsf
    case .kubernetes: .kubernetes
    }
  }

  /// The finished script.
  var text: String { template.filled(fillings) }

  /// The lines that differ from the template.
  var fillings: [JobScriptTemplate.Filling] {
    switch system {
    case .slurm: slurm + body
    case .sge: sge + body
    case .pbs: pbs + body
    case .lsf: lsf + body
    case .kubernetes: kubernetes
    }
  }

  private var ranks: Int { nodes * ranksPerNode }
  private typealias Filling = JobScriptTemplate.Filling

  /// The assignments that all scripts share.
  private var body: [JobScriptTemplate.Filling] {
    [
      Filling("PPO_PROGRAM=", Self.quoted(program)), Filling("PPO_OUTPUT_DIR=", Self.quoted(outputDirectory)),
      Filling("PPO_ARGUMENTS=(", arguments.map(Self.quoted).joined(separator: " ") + ")"),
    ] + optional("PPO_SCRATCH=", line: "PPO_SCRATCH=", scratch.map(Self.expanding))
  }

  private func optional(_ prefix: String, line: String, _ value: String?) -> [JobScriptTemplate.Filling] {
    value.map { [Filling(prefix, line: line + $0)] } ?? []
  }

  private var slurm: [JobScriptTemplate.Filling] {
    [Filling("#SBATCH --nodes=", nodes), Filling("#SBATCH --ntasks-per-node=", ranksPerNode)]
      + optional("#SBATCH --time=", line: "#SBATCH --time=", time?.clock)
      + optional("#SBATCH --job-name=", line: "#SBATCH --job-name=", jobName)
      + optional("##SBATCH --partition=", line: "#SBATCH --partition=", queue)
      + optional("##SBATCH --account=", line: "#SBATCH --account=", account)
      + optional("PPO_LAUNCHER=", line: "PPO_LAUNCHER=", launcher)
      + (isChain ? optional("PPO_MAX_CHUNKS=", line: "PPO_MAX_CHUNKS=", maxChunks.map { "\($0)" }) : [])
  }

  private var sge: [JobScriptTemplate.Filling] {
    [Filling("#$ -pe mpi ", ranks)]
      + optional("#$ -l h_rt=", line: "#$ -l h_rt=", time?.clock) + optional("PPO_TIME=", line: "PPO_TIME=", time?.clock)
      + optional("#$ -N ", line: "#$ -N ", jobName) + optional("##$ -q ", line: "#$ -q ", queue)
  }

  private var pbs: [JobScriptTemplate.Filling] {
    [Filling("#PBS -l select=", "\(nodes):ncpus=\(ranksPerNode):mpiprocs=\(ranksPerNode)")]
      + optional("#PBS -l walltime=", line: "#PBS -l walltime=", time?.clock) + optional("PPO_TIME=", line: "PPO_TIME=", time?.clock)
      + optional("#PBS -N ", line: "#PBS -N ", jobName) + optional("##PBS -q ", line: "#PBS -q ", queue)
  }

  private var lsf: [JobScriptTemplate.Filling] {
    // LSF counts in minutes.
    let time = time.map { "\(TimeSpan.twoDigits($0.seconds / 3600)):\(TimeSpan.twoDigits($0.seconds / 60 % 60))" }
    return [Filling("#BSUB -n ", ranks), Filling("#BSUB -R ", "\"span[ptile=\(ranksPerNode)]\"")]
      + optional("#BSUB -W ", line: "#BSUB -W ", time) + optional("#BSUB -J ", line: "#BSUB -J ", jobName)
      + optional("##BSUB -q ", line: "#BSUB -q ", queue)
  }

  private var kubernetes: [JobScriptTemplate.Filling] {
    [
      Filling("  slotsPerWorker: ", ranksPerNode), Filling("      replicas: 1  # edit", line: "      replicas: \(nodes)"),
      Filling("                  value: \"8\"", line: "                  value: \"\(ranks)\""),
      Filling("                  cpu: ", "\"\(ranksPerNode)\""),
      Filling("                  value: /data/", line: "                  value: \(outputDirectory)"),
      Filling("                  value: \"\"", line: "                  value: \(Self.yaml(arguments.joined(separator: " ")))"),
    ] + optional("  name: ", line: "  name: ", jobName)
  }

  /// A word of the shell.
  static func quoted(_ word: String) -> String {
    let isPlain = !word.isEmpty && word.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "_-./=:,+@%".contains($0)) }
    return isPlain ? word : "'" + word.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''") + "'"
  }

  /// A word of the shell in which `$NAME` stands for a variable of the job.
  static func expanding(_ word: String) -> String {
    guard word.contains("$") else { return quoted(word) }
    return "\"" + word.map { "\"\\`".contains($0) ? "\\\($0)" : String($0) }.joined() + "\""
  }

  /// A string of YAML.
  private static func yaml(_ text: String) -> String {
    "'" + text.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "''") + "'"
  }
}
