// A `.dvc` file: what `add`, `import` and `import-url` write, and single stages of DVC before 1.0.

package struct TrackedFile: Sendable {
  package var path: RepoPath
  /// The whole document, with places, for what this type does not name.
  package var document: MarkedValue
  /// `md5:` of the file itself; `nil` where it has none.
  package var md5: String?
  /// `md5` is not that of what the file says now: somebody edited it. Only imports have one that counts.
  package var isEdited = false
  /// Hash and size of each dependency, in the order of `Stage.dependencies`.
  package var dependencies: [LockedFile]
  /// Hash and size of each output, in the order of `Stage.outputs`.
  package var outputs: [LockedFile]

  package init(path: RepoPath, document: MarkedValue, md5: String?, dependencies: [LockedFile], outputs: [LockedFile]) {
    self.path = path
    self.document = document
    self.md5 = md5
    self.dependencies = dependencies
    self.outputs = outputs
  }
}
