// A loader for the project that a command works in.
internal import CairnCore

extension PipelineLoader {
  package init(_ repository: Repository, _ settings: Settings) {
    var unpacking = UnpackingOptions()
    unpacking.negatesFalse = settings.parsesBoolsAsPairs
    unpacking.repeatsKeyForLists = settings.appendsLists
    self.init(
      root: repository.root, folder: repository.workingFolder ?? .root,
      gitRoot: settings.hasNoSCM ? nil : Self.gitRoot(around: repository.root), unpacking: unpacking)
  }
}
