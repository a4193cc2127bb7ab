// Which values of files a stage's templates took: what `params diff` shows beside the declared parameters.
internal import Synchronization

/// One value that `${…}` named.
package struct TemplateUse: Sendable {
  /// The file as messages show it.
  package var source: String
  /// Its dotted key.
  package var key: String
  package var value: Value
}

/// Collects while one stage is resolved.
package final class TemplateUses: Sendable {
  private let found = Mutex<[TemplateUse]>([])

  package init() {}

  func note(_ node: TemplateNode) {
    guard !node.isLocal, let source = node.source else { return }
    let use = TemplateUse(source: source, key: node.path, value: node.value)
    found.withLock { $0.append(use) }
  }

  package var all: [TemplateUse] { found.withLock { $0 } }
}
