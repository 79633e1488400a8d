// swift-tools-version: 6.2
import PackageDescription

/// Every target: warnings are errors. The graph below is the one of docs/architecture.md; imports that it does not name fail the build
/// (`--explicit-target-dependency-import-check error`, set by the scripts).
let strict: [SwiftSetting] = [.treatAllWarnings(as: .error)]
/// Targets that need no raw memory also promise so.
let memorySafe: [SwiftSetting] = strict + [.strictMemorySafety()]

let package = Package(
  name: "ppo-chunked",
  products: [
    .executable(name: "ppo-chunked", targets: ["ppo-chunked"]),
    .executable(name: "ppo-bench", targets: ["ppo-bench"]),
    .library(name: "Environments", targets: ["Environments"]),
    .library(name: "ServingSim", targets: ["ServingSim"]),
    .library(name: "ServingEnv", targets: ["ServingEnv"]),
    .library(name: "PPO", targets: ["PPO"]),
    .library(name: "Checkpoint", targets: ["Checkpoint"]),
    .library(name: "Training", targets: ["Training"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2")
  ],
  targets: [
    // Arithmetic and randomness
    .target(name: "CKernels", linkerSettings: [.linkedLibrary("m")]),
    .target(name: "ExactMath", dependencies: ["CKernels"], swiftSettings: strict),
    .target(name: "Randomness", dependencies: ["ExactMath"], swiftSettings: memorySafe),

    // The learner
    .target(name: "Neural", dependencies: ["CKernels", "ExactMath", "Randomness"], swiftSettings: strict),
    .target(name: "PPO", dependencies: ["Neural", "ExactMath", "Randomness"], swiftSettings: strict),

    // What is learned from
    .target(name: "Environments", dependencies: ["ExactMath", "Randomness"], swiftSettings: memorySafe),
    .target(name: "ServingSim", dependencies: ["ExactMath", "Randomness"], swiftSettings: memorySafe),
    .target(
      name: "ServingEnv", dependencies: ["Environments", "ExactMath", "Randomness", "ServingSim"], swiftSettings: memorySafe),

    // Ranks
    .systemLibrary(
      name: "COpenMPI", pkgConfig: "ompi-c", providers: [.apt(["libopenmpi-dev", "openmpi-bin", "pkg-config"])]),
    .target(name: "CMPI", dependencies: ["COpenMPI"]),
    .target(name: "Ranks", swiftSettings: strict),
    .target(name: "MPIRanks", dependencies: ["CMPI", "Ranks"], swiftSettings: strict),

    // Storage
    .systemLibrary(name: "COpenSSL", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev", "pkg-config"])]),
    .target(name: "Hashing", dependencies: ["COpenSSL"], swiftSettings: strict),
    .target(name: "FileStore", swiftSettings: strict),
    .target(name: "TorchFormat", swiftSettings: strict),
    .target(name: "Checkpoint", dependencies: ["FileStore", "Hashing", "TorchFormat"], swiftSettings: strict),
    .target(name: "Telemetry", dependencies: ["FileStore"], swiftSettings: memorySafe),
    .target(name: "RunConfig", swiftSettings: strict),

    // The run
    .target(
      name: "Training",
      dependencies: [
        "Checkpoint", "Environments", "ExactMath", "FileStore", "Hashing", "Neural", "PPO", "Randomness", "Ranks", "RunConfig",
        "ServingEnv", "ServingSim", "Telemetry", "TorchFormat",
      ], swiftSettings: memorySafe),
    .target(name: "CProcess"),
    .executableTarget(
      name: "ppo-chunked",
      dependencies: [
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
        "Checkpoint", "CProcess", "Environments", "ExactMath", "FileStore", "Hashing", "MPIRanks", "Neural", "PPO", "Randomness", "Ranks",
        "RunConfig", "ServingEnv", "ServingSim", "Telemetry", "TorchFormat", "Training",
      ], swiftSettings: strict),
    .executableTarget(
      name: "ppo-bench",
      dependencies: [
        "CKernels", "Environments", "ExactMath", "FileStore", "Neural", "PPO", "Randomness", "Ranks", "RunConfig", "ServingEnv",
        "ServingSim",
        "Training",
      ],
      swiftSettings: strict),
    .executableTarget(name: "ppo-ranks-check", dependencies: ["MPIRanks", "Ranks"], swiftSettings: strict),

    // Tests
    .target(name: "TestSupport", dependencies: ["FileStore"], path: "Tests/TestSupport", swiftSettings: strict),
    .testTarget(name: "SourceRulesTests", swiftSettings: strict),
    .testTarget(name: "CKernelsTests", dependencies: ["CKernels"], swiftSettings: strict),
    .testTarget(name: "ExactMathTests", dependencies: ["CKernels", "ExactMath"], swiftSettings: strict),
    .testTarget(name: "RandomnessTests", dependencies: ["Randomness"], swiftSettings: strict),
    .testTarget(name: "NeuralTests", dependencies: ["CKernels", "Neural", "Randomness"], swiftSettings: strict),
    .testTarget(name: "PPOTests", dependencies: ["Neural", "PPO", "Randomness"], swiftSettings: strict),
    .testTarget(name: "EnvironmentsTests", dependencies: ["Environments", "Randomness"], swiftSettings: strict),
    .testTarget(name: "ServingSimTests", dependencies: ["Randomness", "ServingSim"], swiftSettings: strict),
    .testTarget(name: "ServingEnvTests", dependencies: ["Environments", "ServingEnv", "ServingSim"], swiftSettings: strict),
    .testTarget(name: "RanksTests", dependencies: ["Ranks"], swiftSettings: strict),
    .testTarget(name: "MPIRanksTests", dependencies: ["MPIRanks"], swiftSettings: strict),
    .testTarget(name: "HashingTests", dependencies: ["Hashing"], swiftSettings: strict),
    .testTarget(name: "FileStoreTests", dependencies: ["FileStore", "TestSupport"], swiftSettings: strict),
    .testTarget(name: "TorchFormatTests", dependencies: ["TorchFormat"], swiftSettings: strict),
    .testTarget(
      name: "CheckpointTests", dependencies: ["Checkpoint", "FileStore", "Hashing", "TestSupport", "TorchFormat"], swiftSettings: strict),
    .testTarget(name: "RunConfigTests", dependencies: ["RunConfig"], swiftSettings: strict),
    .testTarget(
      name: "TrainingTests",
      dependencies: [
        "Checkpoint", "Environments", "FileStore", "Hashing", "Neural", "PPO", "Randomness", "Ranks", "RunConfig", "ServingEnv",
        "ServingSim", "TestSupport", "TorchFormat", "Training",
      ], swiftSettings: strict),
    .testTarget(name: "ProgramTests", dependencies: ["RunConfig", "TestSupport", "ppo-chunked"], swiftSettings: strict),
  ],
  swiftLanguageModes: [.v6],
  cLanguageStandard: .c17
)
