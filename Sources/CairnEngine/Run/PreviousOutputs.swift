// What stood at a stage's outputs before a try that failed: files that no cache holds moved aside, the others named
// by their hashes. Knows nothing of commands.
package import CairnCore
import CairnFormats
import CairnStore
import CairnSystem

/// `.cairn/kept/previous/KEY/`: KEY is the MD5 of the stage's address. It holds the files, numbered, and `previous.json`:
/// `{"stage", "kept": [{"path", "name"} or {"path", "hash", "executable"}], "left": {path: mark}, "open"}`, the newest
/// of a path last. Kept until the stage succeeds.
package struct PreviousOutputs: Sendable {
  private let root: String
  private let folder: String

  package init(root: String, folder: String) {
    self.root = root
    self.folder = folder
  }

  /// An output whose bytes the cache has: removed before the command, made anew from there.
  package struct Cached: Sendable, Hashable {
    package var path: RepoPath
    package var hash: ContentHash
    package var isExecutable: Bool
  }

  fileprivate enum Kept {
    case file(name: String)
    case cached(Cached)
  }

  private struct Manifest {
    var kept: [(path: RepoPath, what: Kept)] = []
    /// What the last failed try left behind: path → `LeftoverMark`.
    var left: [RepoPath: String] = [:]
    /// A try has begun, and nobody has said how it ended: what stands at the outputs may be its.
    var isOpen = false

    /// Of each path what to bring back.
    var newest: [(path: RepoPath, what: Kept)] {
      var newest: [RepoPath: Kept] = [:]
      for item in kept { newest[item.path] = item.what }
      return newest.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
    }
  }

  private func home(_ stage: StageAddress) -> String {
    folder + "/" + ContentHasher.md5(of: Array(stage.text().utf8)).hex
  }

  package func exists(_ stage: StageAddress) -> Bool {
    // Where no try ever failed there is no folder, and no name to be worked out.
    Files.exists(folder) && Files.exists(home(stage) + "/previous.json")
  }

  /// What the last failed try left at `path`, and nobody has touched since.
  func isLeftover(_ path: RepoPath, of stage: StageAddress, mark: String?) -> Bool {
    guard let mark else { return false }
    return read(stage).left[path] == mark
  }

  /// Moves `paths` aside, which are no leftovers.
  func moveAside(_ paths: [RepoPath], of stage: StageAddress) throws(Diagnostic) {
    var manifest = read(stage)
    let home = home(stage)
    try Files.makeDirectories(home)
    let wasOpen = manifest.isOpen
    manifest.isOpen = true
    var number = manifest.kept.count
    for path in paths {
      repeat { number += 1 } while Files.exists(home + "/\(number)", followLinks: false)
      let item = (path, Kept.file(name: String(number)))
      // A try that died may have made this itself; what was kept before that try is the better version.
      if wasOpen, manifest.kept.contains(where: { $0.path == path }) {
        manifest.kept.insert(item, at: 0)
      } else {
        manifest.kept.append(item)
      }
      // Named before it is moved: a crash between the two leaves a name without a file, never a file without a name.
      try write(manifest, stage)
      try FileTree.move(root + "/" + path.text, to: home + "/\(number)")
    }
  }

  /// A try has failed: what it left, and what it had taken away that the cache holds.
  func noteFailure(of stage: StageAddress, left paths: [RepoPath], cached: [Cached], mark: (RepoPath) -> String?) {
    var manifest = read(stage)
    guard !manifest.kept.isEmpty || !cached.isEmpty else { return }
    manifest.isOpen = false
    manifest.left = [:]
    for path in paths { if let text = mark(path) { manifest.left[path] = text } }
    for item in cached { manifest.kept.append((item.path, .cached(item))) }
    try? Files.makeDirectories(home(stage))
    try? write(manifest, stage)
  }

  func discard(_ stage: StageAddress) { try? FileTree.remove(home(stage)) }

  /// Brings the newest version of each path back; what stands there is removed only when it is a failed try's leftover.
  ///
  /// - Parameters:
  ///   - mark: of what stands at a path now.
  ///   - checkout: makes an output from the cache.
  /// - Returns: the paths that were restored, in order; empty when nothing is kept.
  /// - Throws: when something that a person made stands in the way; nothing has been changed then.
  package func restore(
    _ stage: StageAddress, mark: (RepoPath) -> String?, checkout: (Cached) throws(Diagnostic) -> Void
  ) throws(Diagnostic) -> [RepoPath] {
    let manifest = read(stage)
    let home = home(stage)
    var wanted: [(path: RepoPath, what: Kept)] = []
    for (path, what) in manifest.newest {
      if case .file(let name) = what, !Files.exists(home + "/" + name, followLinks: false) { continue }
      if Files.exists(root + "/" + path.text, followLinks: false) {
        let now = mark(path)
        if case .cached(let cached) = what, now == cached.hash.text { continue }
        guard let left = manifest.left[path], left == now else { throw .inTheWay(path, what: what, home: home) }
      }
      wanted.append((path, what))
    }
    for (path, what) in wanted {
      switch what {
      case .file(let name):
        try FileTree.remove(root + "/" + path.text)
        try FileTree.move(home + "/" + name, to: root + "/" + path.text)
      case .cached(let cached): try checkout(cached)
      }
    }
    try FileTree.remove(home)
    return wanted.map(\.path)
  }

  // MARK: The file

  private func read(_ stage: StageAddress) -> Manifest {
    let path = home(stage) + "/previous.json"
    guard let bytes = (try? Files.read(path)) ?? nil,
      let value = try? JSONReader.parse(SourceText(path: path, bytes: bytes)).value
    else { return Manifest() }
    var manifest = Manifest()
    manifest.isOpen = value["open"]?.bool ?? false
    for item in value["kept"]?.list ?? [] {
      guard let path = item["path"]?.string.map({ RepoPath(unchecked: $0) }) else { continue }
      if let name = item["name"]?.string {
        manifest.kept.append((path, .file(name: name)))
      } else if let hash = item["hash"]?.string.flatMap({ ContentHash($0) }) {
        let isExecutable = item["executable"]?.bool ?? false
        manifest.kept.append((path, .cached(Cached(path: path, hash: hash, isExecutable: isExecutable))))
      }
    }
    for (path, hash) in value["left"]?.map ?? [:] {
      if let path = path.string, let hash = hash.string { manifest.left[RepoPath(unchecked: path)] = hash }
    }
    return manifest
  }

  private func write(_ manifest: Manifest, _ stage: StageAddress) throws(Diagnostic) {
    let kept = manifest.kept.map { item -> Value in
      switch item.what {
      case .file(let name): .map(["path": .string(item.path.text), "name": .string(name)])
      case .cached(let cached):
        .map([
          "path": .string(item.path.text), "hash": .string(cached.hash.text), "executable": .bool(cached.isExecutable),
        ])
      }
    }
    let left = manifest.left.sorted { $0.key < $1.key }.map {
      (Value.string($0.key.text), Value.string($0.value))
    }
    let value: Value = .map([
      "stage": .string(stage.text()), "kept": .list(kept), "left": .map(ValueMap(left, uniquingKeysWith: { $1 })),
      "open": .bool(manifest.isOpen),
    ])
    try AtomicFile.write(
      Array((JSONWriter.text(value) + "\n").utf8), to: home(stage) + "/previous.json", sync: false)
  }
}

extension Diagnostic {
  fileprivate static func inTheWay(_ path: RepoPath, what: PreviousOutputs.Kept, home: String) -> Diagnostic {
    var diagnostic = Diagnostic(.io, "'\(path.text)' was changed since the stage failed: move it away first")
    if case .file(let name) = what { diagnostic.hint = "the previous version is \(home)/\(name)" }
    return diagnostic
  }
}
