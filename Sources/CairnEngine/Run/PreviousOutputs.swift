// Outputs that no cache holds, moved aside before a command starts and kept until the stage succeeds.
package import CairnCore
import CairnFormats
import CairnStore
import CairnSystem

/// `.cairn/kept/previous/KEY/`: KEY is the MD5 of the stage's address. It holds the files, numbered, and `previous.json`:
/// `{"stage", "files": [{"path", "name"}], "left": {path: hash}}`, the newest file of a path last.
package struct PreviousOutputs: Sendable {
  private let root: String
  private let folder: String

  package init(root: String, folder: String) {
    self.root = root
    self.folder = folder
  }

  private struct Manifest {
    var files: [(path: String, name: String)] = []
    /// What the last failed try left behind: path → hash.
    var left: [String: String] = [:]
  }

  private func home(_ stage: StageAddress) -> String {
    folder + "/" + ContentHasher.md5(of: Array(stage.text().utf8)).hex
  }

  package func exists(_ stage: StageAddress) -> Bool { Files.exists(home(stage) + "/previous.json") }

  /// Moves `paths` aside. What an earlier failed try left there unchanged is no previous output: it is removed.
  func moveAside(
    _ paths: [RepoPath], of stage: StageAddress, hash: (RepoPath) -> String?
  ) throws(Diagnostic) {
    var manifest = read(stage)
    let home = home(stage)
    for path in paths {
      let source = root + "/" + path.text
      if let left = manifest.left[path.text], left == hash(path) {
        try FileTree.remove(source)
        continue
      }
      let name = String(manifest.files.count + 1)
      try Files.makeDirectories(home)
      // Named before it is moved: a crash between the two leaves a name without a file, never a file without a name.
      manifest.files.append((path.text, name))
      try write(manifest, stage)
      try FileTree.move(source, to: home + "/" + name)
    }
  }

  func noteLeftovers(of stage: StageAddress, _ paths: [RepoPath], hash: (RepoPath) -> String?) {
    var manifest = read(stage)
    manifest.left = [:]
    for path in paths { if let text = hash(path) { manifest.left[path.text] = text } }
    try? write(manifest, stage)
  }

  func discard(_ stage: StageAddress) { try? FileTree.remove(home(stage)) }

  /// Brings the newest file of each path back; what stands there is removed only when it is a failed try's leftover.
  ///
  /// - Returns: the paths that were restored; empty when nothing is kept.
  /// - Throws: when something that a person made stands in the way.
  package func restore(
    _ stage: StageAddress, hash: (RepoPath) -> String?
  ) throws(Diagnostic) -> [RepoPath] {
    let manifest = read(stage)
    let home = home(stage)
    var newest: [String: String] = [:]
    for file in manifest.files where Files.exists(home + "/" + file.name, followLinks: false) {
      newest[file.path] = file.name
    }
    var restored: [RepoPath] = []
    for (text, name) in newest.sorted(by: { $0.key.precedesInBytes($1.key) }) {
      let path = RepoPath(unchecked: text)
      let target = root + "/" + text
      if Files.exists(target, followLinks: false) {
        guard manifest.left[text] != nil, manifest.left[text] == hash(path) else {
          throw Diagnostic(
            .io, "'\(text)' was changed since the stage failed: move it away first",
            hint: "the previous version is \(home)/\(name)")
        }
        try FileTree.remove(target)
      }
      try FileTree.move(home + "/" + name, to: target)
      restored.append(path)
    }
    if !restored.isEmpty { try FileTree.remove(home) }
    return restored
  }

  private func read(_ stage: StageAddress) -> Manifest {
    let path = home(stage) + "/previous.json"
    guard let bytes = (try? Files.read(path)) ?? nil,
      let value = try? JSONReader.parse(SourceText(path: path, bytes: bytes)).value
    else { return Manifest() }
    var manifest = Manifest()
    for file in value["files"]?.list ?? [] {
      if let path = file["path"]?.string, let name = file["name"]?.string { manifest.files.append((path, name)) }
    }
    for (path, hash) in value["left"]?.map ?? [:] {
      if let path = path.string, let hash = hash.string { manifest.left[path] = hash }
    }
    return manifest
  }

  private func write(_ manifest: Manifest, _ stage: StageAddress) throws(Diagnostic) {
    let value: Value = .map([
      "stage": .string(stage.text()),
      "files": .list(manifest.files.map { .map(["path": .string($0.path), "name": .string($0.name)]) }),
      "left": .map(
        ValueMap(
          manifest.left.sorted { $0.key.precedesInBytes($1.key) }.map { (.string($0.key), .string($0.value)) },
          uniquingKeysWith: { $1 })),
    ])
    try AtomicFile.write(
      Array((JSONWriter.text(value) + "\n").utf8), to: home(stage) + "/previous.json", sync: false)
  }
}
