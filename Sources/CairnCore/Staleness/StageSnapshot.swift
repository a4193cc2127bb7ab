// What was seen of one stage at one moment: the only thing that a verdict and its explanation are made from.
package import OrderedCollections

/// Aligned with the stage: `dependencies[i]` is what stood at `stage.dependencies[i]`, and so on.
package struct StageSnapshot: Sendable {
  package var dependencies: [Content]
  package var parameters: [ParameterReading]
  /// `nil` where outputs were not looked at, since an input had changed already.
  package var outputs: [OutputReading]?
  /// Values of the variables that `meta.cairn` keys by, `nil` for an unset one; secrets as their HMAC.
  package var environment: OrderedDictionary<String, String?>

  package init(
    dependencies: [Content], parameters: [ParameterReading], outputs: [OutputReading]?,
    environment: OrderedDictionary<String, String?> = [:]
  ) {
    self.dependencies = dependencies
    self.parameters = parameters
    self.outputs = outputs
    self.environment = environment
  }
}

package struct OutputReading: Sendable {
  package var content: Content
  /// Whether the object that the lock names is in the cache, whole; `nil` for an output without a cache or a hash.
  package var isInCache: Bool?

  package init(content: Content, isInCache: Bool?) {
    self.content = content
    self.isInCache = isInCache
  }
}

package enum ParameterReading: Sendable {
  case missingFile
  /// The declared keys that the file has; all its top-level keys where none is declared. Order: as declared, or the file's.
  case values(OrderedDictionary<String, Value>)
  case failed(Diagnostic)

  package var values: OrderedDictionary<String, Value> {
    if case .values(let values) = self { values } else { [:] }
  }
}
