// A loader for the project that a command works in.
internal import CairnCore

extension PipelineLoader {
  /// - Parameters:
  ///   - files: `nil` for those on the disk.
  ///   - notesUses: whether stages say which values their templates took.
  ///   - commit: whose `.gitignore` files count; `nil`: those on the disk, and of a commit's files none.
  package init(
    _ repository: Repository, _ settings: Settings, files: (any ProjectFiles)? = nil, notesUses: Bool = false,
    ignoredBy commit: CommitTree? = nil
  ) {
    var unpacking = UnpackingOptions()
    unpacking.negatesFalse = settings.parsesBoolsAsPairs
    unpacking.repeatsKeyForLists = settings.appendsLists
    self.init(
      root: repository.root, folder: repository.workingFolder ?? .root,
      gitRoot: settings.hasNoSCM || files != nil && commit == nil ? nil : Self.gitRoot(around: repository.root),
      unpacking: unpacking, files: files, remotes: RemoteFolders(settings), notesUses: notesUses, ignoredBy: commit)
  }
}
