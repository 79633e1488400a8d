/// The operations of pickle protocol 2 that occur in PyTorch's state files (names as in Python's `pickletools`).
enum PickleOpcode: UInt8, CaseIterable {
  case proto = 0x80
  case stop = 0x2E  // .
  case mark = 0x28  // (
  case none = 0x4E  // N
  case newTrue = 0x88
  case newFalse = 0x89
  case binInt = 0x4A  // J
  case binInt1 = 0x4B  // K
  case binInt2 = 0x4D  // M
  case long1 = 0x8A
  case binFloat = 0x47  // G
  case binUnicode = 0x58  // X
  case emptyList = 0x5D  // ]
  case append = 0x61  // a
  case appends = 0x65  // e
  case emptyDictionary = 0x7D  // }
  case setItem = 0x73  // s
  case setItems = 0x75  // u
  case emptyTuple = 0x29  // )
  case tuple = 0x74  // t
  case tuple1 = 0x85
  case tuple2 = 0x86
  case tuple3 = 0x87
  case binPut = 0x71  // q
  case longBinPut = 0x72  // r
  case binGet = 0x68  // h
  case longBinGet = 0x6A  // j
  case global = 0x63  // c
  case reduce = 0x52  // R
  case build = 0x62  // b
  case binPersistentID = 0x51  // Q
}

/// The only names outside the stream that are written, and the only ones that are read.
enum PickleGlobal: Equatable {
  case rebuildTensor
  case orderedDictionary
  case storage(TorchTensor.ElementType)

  /// Module and name, as they stand in the stream.
  var names: (module: String, name: String) {
    switch self {
    case .rebuildTensor: ("torch._utils", "_rebuild_tensor_v2")
    case .orderedDictionary: ("collections", "OrderedDict")
    case .storage(let type): ("torch", type.rawValue)
    }
  }

  /// The one with these names; nil refuses.
  init?(module: String, name: String) {
    switch (module, name) {
    case ("torch._utils", "_rebuild_tensor_v2"): self = .rebuildTensor
    case ("collections", "OrderedDict"): self = .orderedDictionary
    case ("torch", _):
      guard let type = TorchTensor.ElementType(rawValue: name) else { return nil }
      self = .storage(type)
    default: return nil
    }
  }
}
