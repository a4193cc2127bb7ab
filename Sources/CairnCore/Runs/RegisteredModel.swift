// A version of a registered model, as a registry tells it. Knows no registry.

/// Which output of which run somebody registered.
package struct RegisteredModel: Sendable, Hashable {
  package var name: String
  /// A number, as MLflow counts.
  package var version: String
  /// The run that made it, and which output of that it is.
  package var run: RunID
  package var path: String
  package var md5: String?
  /// Of the repository that it was made in.
  package var commit: String?
  /// Where the registry says that its bytes are.
  package var source: String
  /// Names that stand for this version: `champion`.
  package var aliases: [String]
  /// The registry's address, without a user.
  package var server: String

  package init(
    name: String, version: String, run: RunID, path: String, md5: String?, commit: String? = nil, source: String,
    aliases: [String] = [], server: String
  ) {
    self.name = name
    self.version = version
    self.run = run
    self.path = path
    self.md5 = md5
    self.commit = commit
    self.source = source
    self.aliases = aliases
    self.server = server
  }

  /// As MLflow's own clients take it.
  package var text: String { "models:/\(name)/\(version)" }
  package var id: LineageNodeID { .model(name: name, version: version) }
}
