extension Network {
  /// Whether `tensor` serves the value alone: behaviour cloning leaves it alone, and the file of an actor may lack it.
  public func isCriticOnly(_ tensor: ParameterTensor) -> Bool {
    tensor.name.hasPrefix("critic") || tensor.name.hasPrefix("value")
  }

  /// Tensors that the logits depend on, in layout order.
  public var actorTensors: [ParameterTensor] { layout.tensors.filter { !isCriticOnly($0) } }

  /// Tensors that serve the value alone, in layout order.
  public var criticTensors: [ParameterTensor] { layout.tensors.filter { isCriticOnly($0) } }
}
