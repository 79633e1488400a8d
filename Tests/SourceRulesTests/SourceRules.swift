import Foundation
import Testing

extension SourceRule {
  /// Targets whose results must not depend on machine, time or order of anything.
  static let exactTargets = [
    "Checkpoint", "Environments", "ExactMath", "Hashing", "Neural", "PPO", "Randomness", "Ranks", "RunConfig", "ServingEnv", "ServingSim",
    "TorchFormat", "Training",
  ]
  /// Targets that are programs: the owners of clock, arguments and exit.
  static let programs = ["ppo-bench", "ppo-chunked", "ppo-ranks-check"]

  private static func target(_ path: String) -> String { String(path.prefix { $0 != "/" }) }
  private static func isExact(_ path: String) -> Bool { exactTargets.contains(target(path)) }

  private static let functions =
    "(?:exp|exp2|exp10|expm1|log|log2|log10|log1p|pow|sin|cos|tan|asin|acos|atan|atan2|sinh|cosh|tanh|erf|erfc|lgamma|tgamma|sqrt|cbrt|hypot)"

  private static func matches(_ code: Substring, _ pattern: String) -> Bool {
    code.range(of: pattern, options: .regularExpression) != nil
  }

  static let all = [mathSwift, mathC, approximations, unordered, time, foundation, columns, ascii, unsafe]

  static let mathSwift = SourceRule(
    name: "mathematics of the C library", applies: isExact, exceptions: [:],
    isBroken: { _, code in
      matches(code, "(?<![A-Za-z0-9_.`])(?<!func )\(functions)f?\\(") || matches(code, "\\b(Glibc|Foundation)\\.\(functions)")
    },
    planted: [
      ("PPO/A.swift", "let x = exp(y)"), ("Training/Run/A.swift", "return (log1p(x))"), ("Neural/A.swift", "let x = Glibc.tanh(y)"),
      ("ServingSim/A.swift", "let x = -sqrtf(y)"), ("ExactMath/A.swift", "a = pow(b, 2)"),
      ("PPO/A.swift", "write(\"value \\(log(x))\")"),
    ],
    harmless: [
      ("PPO/A.swift", "let x = ExactMath.exp(y)"),
      ("ExactMath/ExactMath.swift", "public static func exp(_ x: Double) -> Double { ck_exp(x) }"),
      ("PPO/A.swift", "// exp(x)"), ("PPO/A.swift", "fail(\"exp(x) is not finite\")"), ("PPO/A.swift", "runLog(x); x.log(y)"),
      ("ppo-bench/A.swift", "exp(x)"),
    ])

  static let mathC = SourceRule(
    name: "mathematics of the C library in the kernels", applies: { target($0) == "CKernels" }, exceptions: [:],
    isBroken: { _, code in matches(code, "(?<![A-Za-z0-9_])\(functions)[fl]?\\(") },
    planted: [("CKernels/a.c", "  return expf(x);"), ("CKernels/a.inc", "double y = 1 / sqrt(x);")],
    harmless: [
      ("CKernels/a.c", "float ck_expf(float x);"), ("CKernels/a.c", "x = __builtin_sqrtf(y);"), ("CKernels/a.c", "v8 y = exp8(x);"),
      ("CKernels/a.c", "int x = 0;  // 1 / sqrt(2 pi)"),
    ])

  static let approximations = SourceRule(
    name: "approximate instructions and loose arithmetic", applies: { target($0) == "CKernels" }, exceptions: [:],
    isBroken: { _, code in matches(code, "rsqrt|_rcp|FP_CONTRACT ON|fast-math|fast_math|float_control") },
    planted: [("CKernels/a.c", "y = _mm256_rsqrt_ps(x);"), ("CKernels/a.c", "#pragma STDC FP_CONTRACT ON")],
    harmless: [("CKernels/a.c", "#pragma STDC FP_CONTRACT OFF")])

  static let unordered = SourceRule(
    name: "unordered collections", applies: isExact,
    exceptions: [
      "Checkpoint/CheckpointDifference.swift": "looks values up by path, iterates the order of the files",
      "RunConfig/JSON/JSONParser.swift": "looks up line numbers and repeated keys, iterates neither",
      "Training/State/StateEncoding.swift": "asks whether a tensor's name is known, iterates the file's order",
    ],
    isBroken: { _, code in
      matches(code, "\\b(Dictionary|Set)\\b\\s*[<(]") || matches(code, "\\[\\s*[A-Z][A-Za-z0-9.]*\\s*:\\s*(\\[|any )?[A-Z][A-Za-z0-9.]*")
        || matches(code, "\\[:\\]") || matches(code, "hashValue|Hasher\\(|ObjectIdentifier\\(")
    },
    planted: [
      ("PPO/A.swift", "var x: [Int: Double] = y"), ("PPO/A.swift", "var x = Set<Int>()"),
      ("PPO/A.swift", "let x = Dictionary(uniqueKeysWithValues: y)"),
      ("PPO/A.swift", "var x: [String: [Int]]"), ("PPO/A.swift", "f(x: [:])"), ("PPO/A.swift", "let x = y.hashValue"),
    ],
    harmless: [
      ("PPO/A.swift", "let x = [a ? B.c : d]"), ("PPO/A.swift", "case .orderedDictionary(let x): 1"), ("PPO/A.swift", "x[0]: Int"),
      ("Telemetry/A.swift", "var x: [Int: Double]"),
    ])

  static let time = SourceRule(
    name: "clocks and randomness of the system", applies: { !programs.contains(target($0)) }, exceptions: [:],
    isBroken: { _, code in
      matches(code, "\\b(ContinuousClock|SuspendingClock|DispatchTime|SystemRandomNumberGenerator|ProcessInfo)\\b")
        || matches(code, "\\b(Date|UUID|clock_gettime|gettimeofday|arc4random\\w*|getrandom|rand|random|drand48)\\(")
        || matches(code, "(?<![A-Za-z0-9_.])time\\((nil|&|0|NULL)")
        || matches(code, "\\.(random|randomElement|shuffled|shuffle)\\((using|in|\\))")
    },
    planted: [
      ("Training/A.swift", "let start = ContinuousClock().now"), ("FileStore/A.swift", "clock_gettime(CLOCK_MONOTONIC, &t)"),
      ("PPO/A.swift", "let x = Int.random(in: 0..<5)"), ("PPO/A.swift", "x.shuffled()"), ("Training/A.swift", "let id = UUID().uuidString"),
      ("CMPI/a.c", "srand(time(NULL));"), ("Telemetry/A.swift", "let now = Date()"),
    ],
    harmless: [
      ("Training/A.swift", "try time(\"save\", step: 1)"), ("ppo-chunked/A.swift", "timestamp(Date())"),
      ("PPO/A.swift", "x.shuffle(&stream)"),
    ])

  static let foundation = SourceRule(
    name: "import of Foundation", applies: { target($0) != "ppo-chunked" }, exceptions: [:],
    isBroken: { _, code in matches(code, "\\bimport (\\w+ )?Foundation") },
    planted: [("RunConfig/A.swift", "import Foundation"), ("Training/A.swift", "internal import struct FoundationEssentials.Date")],
    harmless: [("ppo-chunked/A.swift", "import Foundation"), ("RunConfig/A.swift", "// import Foundation")])

  static let columns = SourceRule(
    name: "code in at most 140 columns, sentences in at most 160", applies: { _ in true }, exceptions: [:],
    isBroken: { line, code in line.utf8.count > 160 || trimmed(code) > 140 },
    planted: [
      ("PPO/A.swift", "let x = " + String(repeating: "a", count: 133)), ("PPO/A.swift", "// " + String(repeating: "a", count: 158)),
    ],
    harmless: [("PPO/A.swift", "// " + String(repeating: "a", count: 150))])

  private static func trimmed(_ code: Substring) -> Int {
    code.utf8.count - code.utf8.reversed().prefix { $0 == UInt8(ascii: " ") }.count
  }

  static let ascii = SourceRule(
    name: "ASCII, without tabs", applies: { _ in true }, exceptions: [:],
    isBroken: { line, _ in line.utf8.contains { $0 >= 128 || $0 == 9 || $0 == 13 } },
    planted: [("PPO/A.swift", "// 3 \u{2264} x"), ("PPO/A.swift", "\tlet x = 1")], harmless: [("PPO/A.swift", "// 3 <= x")])

  static let unsafe = SourceRule(
    name: "unsafe memory",
    applies: { $0.hasSuffix(".swift") },
    exceptions: Dictionary(
      uniqueKeysWithValues: [
        "AdamW", "ActivationBuffer", "FeedForwardNetwork", "GateNorms", "GRULayer", "LayerNormLayer", "LinearLayer", "Network",
        "Network+Passes", "NormalisedLayer", "RecurrentNetwork", "SetAttention", "SetEncoderActivations", "SetEncoderNetwork",
      ].map { ("Neural/\($0).swift", "hands buffers to the kernels, which are C") } + [
        ("ppo-bench/KernelCases.swift", "calls the kernels"), ("MPIRanks/MPICommunicator.swift", "hands buffers to MPI"),
        ("MPIRanks/MPILibrary.swift", "hands a buffer to MPI"),
        ("Hashing/SHA256.swift", "hands buffers to OpenSSL"), ("FileStore/POSIXFileSystem.swift", "hands buffers to system calls"),
        ("FileStore/Descriptor.swift", "hands buffers to system calls"),
        ("Ranks/Monitor.swift", "owns a mutex and a condition of pthreads"),
        ("ppo-ranks-check/RanksCheck.swift", "reads the arguments of the process"), ("Ranks/Message.swift", "values to bytes and back"),
        ("TorchFormat/Bytes.swift", "values to bytes and back"), ("PPO/Rollout+Bytes.swift", "values to bytes and back"),
      ]),
    isBroken: { _, code in matches(code, "[Uu]nsafe") },
    planted: [
      ("Training/A.swift", "x.withUnsafeBytes { $0 }"), ("PPO/A.swift", "nonisolated(unsafe) var x = 1"),
      ("RunConfig/A.swift", "@unchecked Sendable, UnsafeRawPointer"),
    ],
    harmless: [("Training/A.swift", "// unsafe"), ("Neural/AdamW.swift", "x.withUnsafeBytes { $0 }")])
}
