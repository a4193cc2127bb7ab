// The data that is in the workspace now, hashed, in the shape of what is recorded of it. Knows nothing of what it is
// compared with.
import CairnCore
import CairnStore
import CairnSystem

struct WorkspaceData {
  let repository: Repository
  let snapshotter: Snapshotter

  /// One path that data may be at.
  struct Place: Sendable {
    var path: RepoPath
    /// What the record of it was made with.
    var algorithm: ContentHash.Algorithm
    /// A whole output: as a folder it has a hash.
    var isOutput: Bool
  }

  /// A tree of what there is of the places; folders above them that are there count, too.
  func tree(of places: [Place]) throws(Diagnostic) -> DataTree {
    let surveys = try Parallel.map(places.count, chunk: 1) { number throws(Diagnostic) in
      try snapshotter.survey(places[number].path, algorithm: places[number].algorithm)
    }
    keepHashes()
    let tree = DataTree()
    var above: Set<RepoPath> = []
    for (place, survey) in zip(places, surveys) {
      var folder = place.path.parent
      while !folder.isRoot, above.insert(folder).inserted { folder = folder.parent }
      switch survey {
      case .missing: break
      case .deadLink:
        var entry = DataTree.Entry(isDirectory: false)
        entry.isKnown = false
        tree.insert(entry, at: place.path)
      case .file(let file):
        var entry = DataTree.Entry(isDirectory: false, hash: .content(file.hash), size: file.size)
        entry.isExecutable = file.isExecutable
        tree.insert(entry, at: place.path)
      case .folder(let folder):
        let hash = place.isOutput ? DataHash.content(folder.content.hash) : nil
        tree.insert(
          DataTree.Entry(isDirectory: true, hash: hash, size: folder.content.size), at: place.path,
          .known(folder.listing(place.algorithm)))
      }
    }
    for folder in above where try tree.node(at: folder) == nil {
      if Files.exists(snapshotter.absolute(folder), followLinks: false) { tree.insert(.folder, at: folder) }
    }
    return tree
  }
}

extension WorkspaceData {
  /// For the next question, where the project already has a place for them: a question makes none.
  private func keepHashes() {
    if CairnFolder.isPrepared(repository) { snapshotter.index.flush() }
  }
}

extension FolderSurvey {
  fileprivate func listing(_ algorithm: ContentHash.Algorithm) -> DataTree.Listing {
    var listing = DataTree.Listing(content.manifest, algorithm)
    listing.deadLinks = deadLinks
    if !folders.isEmpty {
      var filled: Set<RepoPath> = []
      for file in content.manifest.entries {
        var folder = RepoPath(unchecked: file.path).parent
        while !folder.isRoot, filled.insert(folder).inserted { folder = folder.parent }
      }
      listing.emptyFolders = folders.filter { !filled.contains(RepoPath(unchecked: $0)) }
    }
    return listing
  }
}
