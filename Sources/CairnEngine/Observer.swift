// Looks at the disk for one stage: what stands at its dependencies, parameters and outputs, once for each decision.
package import CairnCore
package import CairnStore
import CairnSystem

package struct Observer: Sendable {
  package private(set) var snapshotter: Snapshotter
  package let cache: DataCache
  package let parameters: @Sendable (ParameterSet) -> CairnCore.ParameterReading
  /// Where `remote://` leads to a folder of this machine.
  let remotes: RemoteFolders
  /// Where `ds://` leads.
  var datasets: Datasets
  /// Whether `.dvcignore` hides a path: an output that it hides counts as missing.
  private let filter: any PathFilter

  package init(
    snapshotter: Snapshotter, cache: DataCache, filter: any PathFilter, remotes: RemoteFolders,
    datasets: Datasets, parameters: @escaping @Sendable (ParameterSet) -> CairnCore.ParameterReading
  ) {
    self.snapshotter = snapshotter
    self.cache = cache
    self.filter = filter
    self.remotes = remotes
    self.datasets = datasets
    self.parameters = parameters
  }

  /// The same, which takes the files of one look at many paths as that look found them.
  func trusting(_ seen: SeenFiles) -> Observer {
    var trusting = self
    trusting.snapshotter = snapshotter.trusting(seen)
    return trusting
  }

  /// The inputs: dependencies by the algorithm that the lock used while they are what it says, parameters by their
  /// declared keys.
  package func inputs(
    of stage: Stage, lock: LockEntry?, sha256: Bool
  ) -> StageSnapshot {
    StageSnapshot(
      dependencies: stage.dependencies.map { dependency in
        if dependency.isDataset { return dataset(of: dependency) }
        return content(at: dependency.location, keeping: lock?.dep(dependency.declared)?.contentHash, sha256: sha256)
      },
      parameters: stage.parameters.map(parameters), outputs: nil)
  }

  private func dataset(of dependency: Dependency) -> Content {
    switch content(at: dependency.location, sha256: false) {
    case .unknown(let error): .unknown(error.located(at: dependency.mark))
    case .dataset(.unlocked(let error)): .dataset(.unlocked(error.located(at: dependency.mark)))
    case let content: content
    }
  }

  /// Adds the outputs to what was seen of the inputs.
  ///
  /// - Parameter asksCache: looks for their objects too, which protects those that are there.
  package func addOutputs(
    to snapshot: inout StageSnapshot, of stage: Stage, lock: LockEntry?, asksCache: Bool = true
  ) {
    snapshot.outputs = stage.outputs.map { output in
      let file = lock?.out(output.declared)
      let locked = file?.contentHash
      var inCache: Bool?
      if asksCache, output.isCached {
        // No object has a name that is no hash.
        if let locked { inCache = isInCache(locked) } else if file?.hashName == "md5" { inCache = false }
      }
      // DVC asks the cache first and does not look at the file when the object is gone.
      return OutputReading(
        content: content(at: output.location, algorithm: locked?.algorithm ?? .md5, sha256: false, isOutput: true),
        isInCache: inCache)
    }
  }

  private func isInCache(_ hash: ContentHash) -> Bool {
    if !hash.isDirectory, let seen = snapshotter.seen,
      seen.isProtected(cache.store(for: hash).path(of: hash), root: snapshotter.root)
    {
      return true
    }
    return (try? cache.contains(hash)) ?? false
  }

  package func content(
    at location: Location, algorithm: ContentHash.Algorithm = .md5, sha256: Bool, isOutput: Bool = false
  ) -> Content {
    switch location {
    case .local(let path):
      if isOutput, isIgnored(path) { return .missing }
      return snapshotter.observe(path, sha256: sha256, algorithm: algorithm)
    case .external(let path): return snapshotter.observe(external: path.absolute, sha256: sha256, algorithm: algorithm)
    case .url(let url) where url.hasPrefix("ds://"): return datasets.content(of: url)
    case .url(let url):
      guard let path = remotes.path(of: url) else { return .unknown(remotes.refusal(of: url)) }
      return snapshotter.observe(external: path, sha256: sha256, algorithm: algorithm)
    }
  }

  /// A hash of DVC 2's kind stays one for as long as it names what is there; what has changed gets one of DVC 3's.
  package func content(
    at location: Location, keeping locked: ContentHash?, sha256: Bool, isOutput: Bool = false
  ) -> Content {
    let algorithm = locked?.algorithm ?? .md5
    let found = content(at: location, algorithm: algorithm, sha256: sha256, isOutput: isOutput)
    return content(found, at: location, keeping: locked, sha256: sha256, isOutput: isOutput)
  }

  /// The same of what was `found` there, hashed as `locked` is.
  func content(
    _ found: Content, at location: Location, keeping locked: ContentHash?, sha256: Bool, isOutput: Bool = false
  ) -> Content {
    guard let locked, locked.algorithm == .md5Dos2unix, let hash = found.hash, hash != locked else { return found }
    return content(at: location, sha256: sha256, isOutput: isOutput)
  }

  private func isIgnored(_ path: RepoPath) -> Bool {
    let isKnownFile = snapshotter.seen?.holds(path) ?? false
    return filter.isIgnored(path, isDirectory: !isKnownFile && Files.isDirectory(snapshotter.absolute(path)))
  }

  /// Nothing tells of a change since `content` was seen.
  package func isUnchanged(_ content: Content, at location: Location) -> Bool {
    switch location {
    case .local(let path): snapshotter.isUnchanged(content, at: path)
    case .external(let path): snapshotter.isUnchanged(content, external: path.absolute)
    case .url(let url): remotes.path(of: url).map { snapshotter.isUnchanged(content, external: $0) } ?? true
    }
  }
}

extension Diagnostic {
  static func remoteLocation(_ url: String) -> Diagnostic {
    Diagnostic(.notInThisVersion, "'\(url)': dependencies on other machines are not in this version of Cairn")
  }
}

extension Diagnostic.Code {
  package static let notInThisVersion = Diagnostic.Code("not-in-this-version")
}
