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

/// Collects while one stage is resolved, or what stands above all stages.
package final class TemplateUses: Sendable {
  private let found = Mutex<[TemplateUse]>([])
  private let named = Mutex<[String]>([])

  package init() {}

  func note(_ node: TemplateNode) {
    guard !node.isLocal, let source = node.source else { return }
    let use = TemplateUse(source: source, key: node.path, value: node.value)
    found.withLock { $0.append(use) }
  }

  func note(file shown: String) { named.withLock { $0.append(shown) } }

  /// Files that `vars` named, as messages show them: without one of them nothing can be resolved.
  package var files: [String] { named.withLock { $0 } }

  package var all: [TemplateUse] { found.withLock { $0 } }
}
