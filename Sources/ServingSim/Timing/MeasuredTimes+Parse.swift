/// Readers of profile tables in the form of the reference's profiler; the columns are described in docs/simulator.md. Times are medians in
/// milliseconds; rows about another model, number of workers or node are passed over.
extension MeasuredTimes {
  /// The sum of a layer's linear and element-wise operations, from an `mlp.csv`.
  public static func layer(bytes: [UInt8], name: String, subject: ProfileSubject) throws(CSVError) -> MeasuredSum {
    let model = subject.model
    let dimensions = [
      "n_head", "n_kv_head", "n_embd", "n_expanded_embd", "vocab_size", "num_tensor_parallel_workers", "num_tokens", "use_gated_mlp",
    ]
    let operations = ["attn_pre_proj", "attn_post_proj", "mlp_up_proj", "mlp_down_proj", "mlp_act", "attn_rope"].map(median)
    let optional = ["input_layernorm", "post_attention_layernorm", "add"].map(median)
    let expected = [
      model.queryHeads, model.keyValueHeads, model.embedding, model.feedForward, model.vocabulary, subject.tensorParallel,
    ]
    // The columns of `Operation.allCases`.
    let order = [8, 9, 10, 11, 13, 14, 15, 16, 12]
    var points: [(size: Double, time: Double)] = []
    var parts = [[(size: Double, time: Double)]](repeating: [], count: order.count)
    try CSVReader.readRows(bytes, file: name, columns: dimensions + operations, optional: optional) {
      columns, fields, reader throws(CSVError) in
      for (column, value) in expected.enumerated() where try columns.count(column, fields, reader) != value { return }
      if try columns.boolean(7, fields, reader) != model.isGated { return }
      let tokens = try columns.tokens(6, fields, reader)
      var sum = 0.0
      for column in 8..<14 { sum += try columns.value(column, fields, reader) }
      for column in 14..<17 where columns.has(column) && (column != 15 || model.hasPostAttentionNorm) {
        sum += try columns.value(column, fields, reader)
      }
      points.append((Double(tokens), sum))
      for (place, column) in order.enumerated() where columns.has(column) && (column != 15 || model.hasPostAttentionNorm) {
        parts[place].append((Double(tokens), try columns.value(column, fields, reader)))
      }
    }
    guard let curve = MeasuredSum(points, parts: parts) else {
      throw subject.missing(name, "\(model.name) with \(subject.tensorParallel) tensor-parallel workers")
    }
    return curve
  }

  /// Attention kernels, from an `attention.csv`.
  public static func attention(bytes: [UInt8], name: String, subject: ProfileSubject) throws(CSVError) -> MeasuredAttention {
    let model = subject.model
    let names = ["n_embd", "n_q_head", "n_kv_head", "block_size", "num_tensor_parallel_workers", "batch_size", "prefill_chunk_size"]
    let expected = [model.embedding, model.queryHeads, model.keyValueHeads, subject.blockSize, subject.tensorParallel]
    let times = ["attn_prefill", "attn_decode", "attn_kv_cache_save"].map(median)
    var decode: [(first: Double, second: Double, time: Double)] = []
    var prefill: [(first: Double, second: Double, time: Double)] = []
    var save: [(size: Double, time: Double)] = []
    try CSVReader.readRows(bytes, file: name, columns: names + ["kv_cache_size", "is_prefill"], optional: times) {
      columns, fields, reader throws(CSVError) in
      for column in 9...11 where !columns.has(column) {
        throw CSVError(file: name, line: 1, column: columns.names[column], value: "", reason: .missingColumn)
      }
      for (column, value) in expected.enumerated() where try columns.count(column, fields, reader) != value { return }
      let context = Double(try columns.count(7, fields, reader))
      // The profiler leaves the times of the other phase empty.
      if try columns.boolean(8, fields, reader) {
        let tokens = Double(try columns.tokens(6, fields, reader))
        prefill.append((tokens, context, try columns.value(9, fields, reader)))
        if let time = try columns.valueIfAny(11, fields, reader) { save.append((tokens, time)) }
      } else {
        let requests = Double(try columns.tokens(5, fields, reader))
        decode.append((requests, context, try columns.value(10, fields, reader)))
        if let time = try columns.valueIfAny(11, fields, reader) { save.append((requests, time)) }
      }
    }
    guard let decodes = ProfileSurface(decode), let prefills = ProfileSurface(prefill), let saves = ProfileCurve(save) else {
      throw subject.missing(
        name, "prefill and decode of \(model.name), block size \(subject.blockSize), \(subject.tensorParallel) tensor-parallel workers")
    }
    return MeasuredAttention(decode: decodes, prefill: prefills, cacheSave: saves)
  }

  /// One all-reduce over the tensor-parallel workers of one node, from an `all_reduce.csv`.
  public static func allReduce(bytes: [UInt8], name: String, subject: ProfileSubject) throws(CSVError) -> ProfileCurve {
    let workers = subject.tensorParallel
    return try collective("all_reduce", bytes, name, subject, what: "all-reduces over \(workers) workers of one node") {
      $0 == workers && $1 == workers
    }
  }

  /// A transfer between pipeline stages, from a `send_recv.csv`.
  public static func sendReceive(bytes: [UInt8], name: String, subject: ProfileSubject) throws(CSVError) -> ProfileCurve {
    let perNode = subject.isMultiNode ? 1 : 2
    let what = subject.isMultiNode ? "transfers between nodes" : "transfers inside a node"
    return try collective("send_recv", bytes, name, subject, what: what) { $1 == perNode }
  }

  /// The engine's CPU time for a batch: scheduling, sampling, preparing inputs, processing outputs and messages.
  public static func cpu(bytes: [UInt8], name: String, subject: ProfileSubject) throws(CSVError) -> MeasuredSum {
    let names = [
      "batch_size", "tensor_parallel_degree", "model_name", "schedule_median", "sampler_e2e_median", "prepare_inputs_e2e_median",
      "process_model_outputs_median", "ray_comm_time_mean",
    ]
    var points: [(size: Double, time: Double)] = []
    var parts = [[(size: Double, time: Double)]](repeating: [], count: EngineOperation.allCases.count)
    try CSVReader.readRows(bytes, file: name, columns: names) { columns, fields, reader throws(CSVError) in
      guard reader.text(try columns.range(2, fields, reader)) == subject.model.name,
        try columns.count(1, fields, reader) == subject.tensorParallel
      else { return }
      let requests = try columns.tokens(0, fields, reader)
      var sum = 0.0
      for column in 3..<8 {
        let time = try columns.value(column, fields, reader)
        sum += time
        parts[column - 3].append((Double(requests), time))
      }
      points.append((Double(requests), sum))
    }
    guard let curve = MeasuredSum(points, parts: parts) else {
      throw subject.missing(name, "\(subject.model.name) with \(subject.tensorParallel) tensor-parallel workers")
    }
    return curve
  }

  private static func median(_ operation: String) -> String { "time_stats.\(operation).median" }

  /// - Parameter isWanted: whether rows of (workers, devices per node) count.
  private static func collective(
    _ operation: String, _ bytes: [UInt8], _ name: String, _ subject: ProfileSubject, what: String, isWanted: (Int, Int) -> Bool
  ) throws(CSVError) -> ProfileCurve {
    var points: [(size: Double, time: Double)] = []
    let names = ["num_workers", "devices_per_node", "size", "collective", median(operation)]
    try CSVReader.readRows(bytes, file: name, columns: names) { columns, fields, reader throws(CSVError) in
      let workers = try columns.count(0, fields, reader)
      guard isWanted(workers, try columns.count(1, fields, reader)), reader.text(try columns.range(3, fields, reader)) == operation else {
        return
      }
      let tokens = Double(try columns.tokens(2, fields, reader)) / Double(2 * subject.model.embedding)
      points.append((tokens, try columns.value(4, fields, reader)))
    }
    guard let curve = ProfileCurve(points) else { throw subject.missing(name, what) }
    return curve
  }
}

extension CSVColumns {
  /// `True` or `False`, as Python writes them.
  fileprivate func boolean(_ column: Int, _ fields: [Range<Int>], _ reader: CSVReader) throws(CSVError) -> Bool {
    switch reader.text(try range(column, fields, reader)) {
    case "True", "true", "1": return true
    case "False", "false", "0": return false
    default: throw error(.notABoolean, column, fields, reader)
    }
  }

  /// A finite number that is not negative; nil for an empty field.
  fileprivate func valueIfAny(_ column: Int, _ fields: [Range<Int>], _ reader: CSVReader) throws(CSVError) -> Double? {
    isEmpty(column, fields) ? nil : try value(column, fields, reader)
  }
}
