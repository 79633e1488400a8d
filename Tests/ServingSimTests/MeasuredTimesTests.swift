import Testing

@testable import ServingSim

@Suite struct MeasuredTimesTests {
  static let subject = ProfileSubject(model: .llama2_7B, tensorParallel: 2, pipelineStages: 2, node: .a100DGX, blockSize: 16)
  static let dimensions = "n_head,n_kv_head,n_embd,n_expanded_embd,vocab_size,use_gated_mlp,num_tokens,num_tensor_parallel_workers"
  static let operations = [
    "input_layernorm", "attn_pre_proj", "attn_rope", "attn_post_proj", "post_attention_layernorm", "mlp_up_proj", "mlp_act",
    "mlp_down_proj",
    "add",
  ]

  func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

  @Test("curves are linear between points, flat below, proportional above; equal sizes count by their mean")
  func curve() throws {
    let curve = try #require(ProfileCurve([(8, 4), (2, 1), (4, 2), (4, 4)]))
    for (size, time) in [(0.0, 1.0), (2, 1), (3, 2), (4, 3), (6, 3.5), (8, 4), (16, 8)] { #expect(curve.time(size) == time, "\(size)") }
    #expect(ProfileCurve([]) == nil)
    let surface = try #require(ProfileSurface([(1, 0, 1), (1, 10, 2), (3, 0, 3), (3, 10, 6)]))
    for (first, second, time) in [(1.0, 5.0, 1.5), (2, 0, 2), (2, 10, 4), (2, 5, 3), (6, 10, 12), (0, 0, 1)] {
      #expect(surface.time(first, second) == time, "\(first), \(second)")
    }
  }

  @Test("rows about another model, split or shape are passed over; none left is an error")
  func filter() throws {
    let header = Self.operations.map { "time_stats.\($0).median" }.joined(separator: ",") + "," + Self.dimensions
    let rows = [
      "1,2,3,4,5,6,7,8,9,32,32,4096,11008,32768,True,8,2", "2,4,6,8,10,12,14,16,18,32,32,4096,11008,32768,True,16,2",
      "9,9,9,9,9,9,9,9,9,32,32,4096,11008,32768,True,8,1", "9,9,9,9,9,9,9,9,9,32,8,4096,14336,128256,True,8,2",
      "9,9,9,9,9,9,9,9,9,32,32,4096,11008,32768,False,8,2",
    ]
    let text = header + "\n" + rows.joined(separator: "\n")
    let curve = try MeasuredTimes.layer(bytes: bytes(text), name: "mlp.csv", subject: Self.subject)
    #expect(curve.time(8) == 45 && curve.time(12) == 67.5 && curve.time(16) == 90)
    // In the order of `Operation`: projections, rope, norms, addition, activation.
    #expect(curve.partTimes(8) == [2, 4, 6, 8, 3, 1, 5, 9, 7] && curve.partTimes(12) == [3, 6, 9, 12, 4.5, 1.5, 7.5, 13.5, 10.5])
    var phi = Self.subject
    phi.model = .phi2
    let error = #expect(throws: CSVError.self) { try MeasuredTimes.layer(bytes: bytes(text), name: "mlp.csv", subject: phi) }
    #expect(error?.reason == .noMatchingRow && error?.description.contains("microsoft/phi-2") == true)
    let missing = text.replacing("attn_rope", with: "rope")
    let column = #expect(throws: CSVError.self) { try MeasuredTimes.layer(bytes: bytes(missing), name: "mlp.csv", subject: Self.subject) }
    #expect(column?.column == "time_stats.attn_rope.median" && column?.reason == .missingColumn)
    // Norms and additions that were not measured count as nothing.
    let lean = text.replacing("input_layernorm", with: "x").replacing("time_stats.add", with: "y")
    #expect(try MeasuredTimes.layer(bytes: bytes(lean), name: "mlp.csv", subject: Self.subject).time(8) == 45 - 1 - 9)
  }

  @Test("collectives are chosen by workers and place, sizes become tokens")
  func collectives() throws {
    let header = ",time_stats.OP.median,rank,num_workers,size,collective,devices_per_node,max_devices_per_node\n"
    let reduce =
      header.replacing("OP", with: "all_reduce")
      + "0,0.5,0,2,8192,all_reduce,2,8\n1,0.7,1,2,8192,all_reduce,2,8\n2,1.2,0,2,81920,all_reduce,2,8\n3,9,0,2,8192,all_reduce,1,8\n4,9,0,4,8192,all_reduce,4,8\n"
    let curve = try MeasuredTimes.allReduce(bytes: bytes(reduce), name: "r.csv", subject: Self.subject)
    #expect(abs(curve.time(1) - 0.6) < 1e-15 && curve.time(10) == 1.2 && curve.time(20) == 2.4)
    let send = header.replacing("OP", with: "send_recv") + "0,0.5,0,2,8192,send_recv,2,8\n1,5,0,2,8192,send_recv,1,8\n"
    #expect(try MeasuredTimes.sendReceive(bytes: bytes(send), name: "s.csv", subject: Self.subject).time(1) == 0.5)
    var across = Self.subject
    across.tensorParallel = 8
    #expect(try MeasuredTimes.sendReceive(bytes: bytes(send), name: "s.csv", subject: across).time(1) == 5)
    #expect(throws: CSVError.self) { try MeasuredTimes.allReduce(bytes: bytes(reduce), name: "r.csv", subject: across) }
  }

  @Test("attention and CPU tables by hand, and what a stage makes of them")
  func stage() throws {
    let attention =
      "n_embd,n_q_head,n_kv_head,block_size,num_tensor_parallel_workers,batch_size,prefill_chunk_size,kv_cache_size,is_prefill,"
      + "time_stats.attn_prefill.median,time_stats.attn_decode.median,time_stats.attn_kv_cache_save.median\n"
      + "4096,32,32,16,1,1,100,0,True,2,,0.5\n4096,32,32,16,1,1,200,0,True,6,,1\n4096,32,32,16,1,1,0,0,False,,1,0.25\n"
      + "4096,32,32,16,1,1,0,128,False,,3,\n4096,32,32,16,1,2,0,0,False,,2,\n4096,32,32,32,1,2,0,0,False,,99,99\n"
    let cpu =
      "model_name,batch_size,tensor_parallel_degree,schedule_median,sampler_e2e_median,prepare_inputs_e2e_median,process_model_outputs_median,"
      + "ray_comm_time_mean\nmeta-llama/Llama-2-7b-hf,1,1,1,2,3,4,5\nmeta-llama/Llama-2-7b-hf,1,2,9,9,9,9,9\nother,1,1,9,9,9,9,9\n"
    let subject = ProfileSubject(model: .llama2_7B, tensorParallel: 1, pipelineStages: 1, node: .a100DGX, blockSize: 16)
    var times = MeasuredTimes()
    times.layer = MeasuredSum([(1, 10), (100, 109)], parts: [[(1, 4), (100, 9)], [(1, 6), (100, 100)]])
    times.attention = try MeasuredTimes.attention(bytes: bytes(attention), name: "a.csv", subject: subject)
    times.cpu = try MeasuredTimes.cpu(bytes: bytes(cpu), name: "c.csv", subject: subject)
    var driver = try SimulationDriver(ClusterConfiguration(replicaCount: 1, timeModel: .measured(times)))
    driver.run([spec(0, 100, 2)])
    let request = try #require(driver.completed.first)
    // Prefill of 100: 109 + 2 + 0.5. Decode over 101 tokens: 10 + (1 + 2 * 101 / 128) + 0.25. 32 layers, 15 ms of CPU each.
    #expect(abs(request.timeToFirstTokenSeconds - (32 * 111.5 + 15) * 1e-3) < 1e-12)
    let work = driver.cluster.log?.stages.compactMap(\.work?.operations) ?? []
    #expect(work.map(\.engine) == [[1, 2, 3, 4, 5], [1, 2, 3, 4, 5]])
    let overContext: Double = 1 + 202.0 / 128
    let prefill: [Double] = [9, 100, 0, 0, 0, 0, 0, 0, 0, 0.5, 2, 0, 0, 0]
    let decode: [Double] = [4, 6, 0, 0, 0, 0, 0, 0, 0, 0.25, 0, overContext, 0, 0]
    #expect(work.map(\.perLayer) == [prefill, decode])
    #expect(abs(request.endToEndSeconds - request.timeToFirstTokenSeconds - (32 * (10 + 1 + 202.0 / 128 + 0.25) + 15) * 1e-3) < 1e-12)
  }

  @Test("the closed form is near the measured operators", .enabled(if: RecordedData.isPresent, "profiles are not beside this checkout"))
  func realProfiles() throws {
    // Mean absolute error of the closed form over the profiled sizes up to 4096 tokens, as fitted: 3.4 % to 5.5 %.
    let cases: [(ModelFacts, String)] = [(.llama2_7B, "meta-llama--Llama-2-7b-hf"), (.llama3_8B, "meta-llama--Meta-Llama-3-8B")]
    for (model, file) in cases {
      let data = try RecordedData.bytes("profiles/a100/\(file).mlp.csv")
      for workers in [1, 2, 4, 8] {
        let subject = ProfileSubject(model: model, tensorParallel: workers, pipelineStages: 1, node: .a100DGX, blockSize: 16)
        let curve = try MeasuredTimes.layer(bytes: data, name: file, subject: subject)
        let closed = try ClosedFormTimeModel(
          model: model, device: .a100, node: .a100DGX, tensorParallel: workers, pipelineStages: 1, tableTokens: 0)
        var measured = MeasuredTimes()
        measured.layer = curve
        let table = try ClosedFormTimeModel(
          model: model, device: .a100, node: .a100DGX, tensorParallel: workers, pipelineStages: 1, measured: measured, tableTokens: 0)
        var error = 0.0
        let sizes = Array(stride(from: 8, through: 4096, by: 8))
        for tokens in sizes {
          #expect(table.linearMilliseconds(tokens: tokens) == curve.time(Double(tokens)))
          error += abs(closed.linearMilliseconds(tokens: tokens) / curve.time(Double(tokens)) - 1)
        }
        #expect(error / Double(sizes.count) < 0.07, "\(model.name), \(workers) workers: \(error / Double(sizes.count))")
      }
    }
    let network = try RecordedData.bytes("profiles/a100/a100_dgx.all_reduce.csv")
    for workers in [2, 4, 8] {
      let subject = ProfileSubject(model: .llama2_7B, tensorParallel: workers, pipelineStages: 1, node: .a100DGX, blockSize: 16)
      let curve = try MeasuredTimes.allReduce(bytes: network, name: "all_reduce", subject: subject)
      let link = try #require(NodeFacts.a100DGX.allReduce(workers: workers))
      let bytes = 2.0 * Double(workers - 1) / Double(workers) * 2 * 4096 * 2048
      #expect(abs(curve.time(2048) / link.milliseconds(bytes: bytes) - 1) < 0.3)
    }
    let transfers = try RecordedData.bytes("profiles/a100/a100_dgx.send_recv.csv")
    let curve = try MeasuredTimes.sendReceive(bytes: transfers, name: "send_recv", subject: Self.subject)
    #expect(abs(curve.time(2048) / NodeFacts.a100DGX.sendReceiveInside.milliseconds(bytes: 2 * 4096 * 2048) - 1) < 0.2)
  }
}
