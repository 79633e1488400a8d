import Checkpoint
import Foundation
import TestSupport
import Testing
import TorchFormat

/// Files go both ways between this program and the real PyTorch.
@Suite("PyTorch", .serialized, .enabled(if: PyTorch.isNewestPresent, "\(PyTorch.skipReason)"))
struct PyTorchTests {
  private func withDirectory(_ body: (URL) throws -> Void) throws {
    let url = FileManager.default.temporaryDirectory.appending(path: "pytorch-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: url) }
    try body(url)
  }

  @Test("torch.load reads our checkpoint: weights_only, with and without mmap, every value and type", arguments: PyTorch.all)
  func theyReadOurs(torch: PyTorch) throws {
    try withDirectory { directory in
      let contents = CheckpointContents(
        step: 70000, runID: "run-1",
        groups: [
          (
            "model_state_dict",
            .orderedDictionary([
              ("w", .tensor(TorchTensor((0..<6).map { Float($0) / 4 - 1 }, shape: [2, 3]))),
              ("scalar", .tensor(TorchTensor([Float(2.5)], shape: []))),
              ("empty", .tensor(TorchTensor([Float](), shape: [0, 3]))),
            ])
          ), ("double", .tensor(TorchTensor([1.0 / 3, .infinity]))), ("long", .tensor(TorchTensor([Int64.min, 7]))),
          ("numbered", .indexedDictionary([(3, .int(1)), (-70000, .string("x"))])), ("integer", .tensor(TorchTensor([Int32.min, 5]))),
          ("bytes", .tensor(TorchTensor([UInt8(0), 255]))),
          ("five", .tensor(TorchTensor((0..<32).map { Double($0) }, shape: [2, 2, 2, 2, 2]))),
          ("ints", .list([0, 255, 256, 65535, 65536, -1, -129, 1 << 31, -(1 << 31) - 1, 1 << 40, Int.max, Int.min].map { .int($0) })),
          (
            "other",
            .list([.none, .bool(true), .bool(false), .float(-0.0), .float(1e300), .string("\u{FC}\u{1F40D}"), .dictionary([]), .list([])])
          ),
        ])
      let path = directory.appending(path: "a.pt").path
      try Data(CheckpointFile.encode(contents).bytes).write(to: URL(filePath: path))
      let script = """
        import sys, math, collections, torch, zipfile
        assert zipfile.ZipFile(sys.argv[1]).testzip() is None
        # In 1.13 weights_only knew no floats and mmap was not there.
        old = int(torch.__version__.split('.')[0]) < 2
        for options in ({'weights_only': False},) if old else ({'weights_only': True}, {'weights_only': True, 'mmap': True}):
            t = torch.load(sys.argv[1], **options)
            names = 'step model_state_dict double long numbered integer bytes five ints other provenance'
            assert list(t) == names.split(), list(t)
            assert t['step'] == 70000 and t['provenance'] == {'run_id': 'run-1'}
            m = t['model_state_dict']
            assert type(m) is collections.OrderedDict and list(m) == ['w', 'scalar', 'empty']
            assert m['w'].dtype == torch.float32 and torch.equal(m['w'], torch.arange(6.).reshape(2, 3) / 4 - 1)
            assert m['w'].is_contiguous() and m['w'].data_ptr() % (64 if 'mmap' in options else 8) == 0
            assert m['scalar'].shape == () and m['scalar'].item() == 2.5 and m['empty'].shape == (0, 3)
            assert t['double'].dtype == torch.float64 and t['double'].tolist() == [1 / 3, math.inf]
            assert t['long'].dtype == torch.int64 and t['long'].tolist() == [-2**63, 7]
            assert t['numbered'] == {3: 1, -70000: 'x'}
            assert t['integer'].dtype == torch.int32 and t['integer'].tolist() == [-2**31, 5]
            assert t['bytes'].dtype == torch.uint8 and t['bytes'].tolist() == [0, 255]
            assert torch.equal(t['five'].flatten(), torch.arange(32, dtype=torch.float64)) and t['five'].shape == (2,) * 5
            assert t['ints'] == [0, 255, 256, 65535, 65536, -1, -129, 2**31, -2**31 - 1, 2**40, 2**63 - 1, -2**63]
            o = t['other']
            assert o == [None, True, False, 0.0, 1e300, '\\u00fc\\U0001f40d', {}, []] and math.copysign(1, o[3]) == -1
        try:
            from torch.utils.serialization import config
            config.load.calculate_storage_offsets = True
        except ImportError:
            pass
        t = torch.load(sys.argv[1], **options)
        assert torch.equal(t['model_state_dict']['w'], torch.arange(6.).reshape(2, 3) / 4 - 1) and t['bytes'].tolist() == [0, 255]
        print('fine', torch.__version__)
        """
      #expect(try torch.run(script, [path]).hasPrefix("fine"))
    }
  }

  @Test(
    "we read what torch.save writes: strides, windows, shared storages, metadata, optimizers; the newest's container is ours",
    arguments: PyTorch.all)
  func weReadTheirs(torch: PyTorch) throws {
    try withDirectory { directory in
      let path = directory.appending(path: "theirs.pt").path
      let script = """
        import sys, torch
        net = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.LayerNorm(3))
        with torch.no_grad():
            for p in net.parameters(): p.copy_(torch.arange(p.numel(), dtype=torch.float32).reshape(p.shape))
        opt = torch.optim.AdamW(net.parameters(), lr=0.5)
        net(torch.ones(1, 2)).sum().backward(); opt.step()
        base = torch.arange(12.)
        torch.save({'net': net.state_dict(), 'opt': opt.state_dict(), 'transposed': base.reshape(3, 4).t(), 'window': base[3:5],
            'row': base[:2].expand(2, 2), 'n': [-1, 2**40, None, True, (1, 2.5)], 'long': torch.tensor([2**40]),
            'empty': torch.zeros(0, 4)}, sys.argv[1])
        """
      _ = try torch.run(script, [path])
      let bytes = [UInt8](try Data(contentsOf: URL(filePath: path)))
      let tree = try TorchFile.decode(bytes)
      #expect(tree["transposed"]?.tensor == TorchTensor([Float(0), 4, 8, 1, 5, 9, 2, 6, 10, 3, 7, 11], shape: [4, 3]))
      #expect(tree["window"]?.tensor == TorchTensor([Float(3), 4]))
      #expect(tree["row"]?.tensor == TorchTensor([Float(0), 1, 0, 1], shape: [2, 2]))
      #expect(tree["n"] == .list([.int(-1), .int(1 << 40), .none, .bool(true), .list([.int(1), .float(2.5)])]))
      #expect(tree["long"]?.tensor == TorchTensor([Int64(1) << 40]))
      #expect(tree["empty"]?.tensor == TorchTensor([Float](), shape: [0, 4]))
      #expect(tree["net"]?["0.weight"]?.tensor?.shape == [3, 2] && tree["opt"]?["state"]?["0"]?["exp_avg"]?.tensor?.shape == [3, 2])
      // An old writer aligns and describes entries in another way, which is read all the same.
      if torch.name == "newest" { #expect(try ArchiveReader(bytes).isCanonical) }
    }
  }

  @Test("a file with a foreign class is refused by name", arguments: PyTorch.all)
  func refused(torch: PyTorch) throws {
    try withDirectory { directory in
      let path = directory.appending(path: "bad.pt").path
      _ = try torch.run("import sys, torch, datetime; torch.save({'a': datetime.timedelta(1)}, sys.argv[1])", [path])
      #expect {
        try TorchFile.decode([UInt8](Data(contentsOf: URL(filePath: path))))
      } throws: {
        ($0 as? TorchFormatError)?.code == .refusedGlobal && "\($0)".contains("datetime.timedelta")
      }
    }
  }
}
