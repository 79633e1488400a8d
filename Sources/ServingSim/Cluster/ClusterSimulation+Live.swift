extension ClusterSimulation {
  /// Visits every request that has been announced and is not completed, in an order that depends on the simulation's history alone.
  ///
  /// - Complexity: O(most requests that were ever live at once).
  public func forEachLiveRequest(_ body: (RequestView) -> Void) {
    for request in requests where request.id >= 0 { body(RequestView(request)) }
  }

  /// Prompt tokens that waiting and resident requests of a replica have still to process.
  ///
  /// - Complexity: O(most requests that were ever live at once).
  public func pendingPrefillTokens(replica: Int) -> Int {
    var tokens = 0
    for request in requests where request.replica == replica && request.id >= 0 {
      tokens += max(0, request.prefillTokens - request.processedTokens)
    }
    return tokens
  }
}
