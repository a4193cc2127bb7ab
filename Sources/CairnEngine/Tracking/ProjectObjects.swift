// Which inputs and outputs of runs are objects that a remote keeps, where these lie there, and which of them it lacks.
// Asks remotes; knows no tracking server.
package import CairnCore
package import CairnStore
import CairnSystem

package struct ProjectObjects: Sendable {
  package let cache: DataCache
  let root: String
  private let remotes: OpenRemotes
  private let outputs: [String: Output]

  package init(_ workspace: Workspace) {
    cache = workspace.cache
    root = workspace.repository.root
    remotes = OpenRemotes(workspace.settings, workspace.repository)
    var outputs: [String: Output] = [:]
    for stage in workspace.project.pipeline.stages {
      for output in stage.outputs { outputs[output.location.recordPath] = output }
    }
    self.outputs = outputs
  }

  /// The output at the path, or the nearest around it.
  private func output(around path: String) -> Output? {
    var path = RepoPath(unchecked: path)
    while !path.isRoot {
      if let output = outputs[path.text] { return output }
      path = path.parent
    }
    return nil
  }

  /// The object behind an input of a run, where there is one that a remote keeps.
  package func object(of input: RunRecord.Input) -> ContentHash? {
    guard let hash = input.md5.flatMap({ ContentHash($0) }) else { return nil }
    switch input.origin.kind {
    case .dvcFile, .importURL: return hash
    // DVC never sends what another repository keeps.
    case .import, .git, .none: return nil
    case .stage: return isKept(input.path, hash) ? hash : nil
    }
  }

  /// The object behind an output of a run.
  package func object(of output: RunRecord.OutputPart) -> ContentHash? {
    guard let hash = output.md5.flatMap({ ContentHash($0) }), isKept(output.path, hash) else { return nil }
    return hash
  }

  /// Of an output that the pipeline no longer has, the cache is asked.
  private func isKept(_ path: String, _ hash: ContentHash) -> Bool {
    if let output = output(around: path) { return output.isCached && output.isPushed }
    return (try? cache.contains(hash)) ?? false
  }

  /// A place of an object, for people and for programs.
  package struct Address: Sendable, Hashable {
    /// `s3`, `local`.
    package var scheme: String
    /// `s3://bucket/prefix/files/md5/ab/cdef…`, or a path.
    package var text: String

    package init(scheme: String, text: String) {
      self.scheme = scheme
      self.text = text
    }
  }

  /// Where the object lies on its remote, or would; `nil` where there is no remote, or one that nobody here knows.
  package func address(of hash: ContentHash, at path: String) -> Address? {
    guard let storage = try? remotes.storage(output(around: path)?.remote, command: "push") else { return nil }
    let text = storage.name(of: RemoteObjects.key(of: hash))
    return Address(scheme: text.hasPrefix("s3://") ? "s3" : "local", text: text)
  }

  /// Where it lies in the workspace.
  package func place(of path: String) -> String { path.hasPrefix("/") || path.contains("://") ? path : root + "/" + path }

  /// The remote that an object belongs to, and its key there.
  ///
  /// - Throws: where there is none, or one that nobody here knows.
  package func home(of hash: ContentHash, at path: String) throws(Diagnostic) -> (storage: any RemoteStorage, key: String) {
    (try remotes.storage(output(around: path)?.remote, command: "fetch"), RemoteObjects.key(of: hash))
  }

  /// Those of the objects that their remotes lack, each with its path. The bytes are not looked at, and nothing is changed.
  ///
  /// - Throws: where a remote does not answer, or there is none.
  package func missing(_ objects: [(hash: ContentHash, path: String)]) throws(Diagnostic) -> [ContentHash] {
    var groups: [String: [ContentHash]] = [:]
    for object in objects {
      groups[output(around: object.path)?.remote ?? "", default: []].append(object.hash)
    }
    var missing: [ContentHash] = []
    for (name, hashes) in groups.sorted(by: { $0.key < $1.key }) {
      let remote = try opened(name)
      let (all, lists) = withParts(hashes)
      let present = try remote.present(all, lists: lists, byName: true)
      missing += all.filter { !present.contains($0) }
    }
    return missing
  }

  /// Sends what their remotes lack of the objects, each with its path, from the cache: also such as no lock names now.
  ///
  /// - Returns: how many went, and in words what did not.
  /// - Throws: where a remote does not answer, or there is none.
  package func send(_ objects: [(hash: ContentHash, path: String)]) throws(Diagnostic) -> (sent: Int, faults: [String]) {
    var groups: [String: [ContentHash]] = [:]
    for object in objects { groups[output(around: object.path)?.remote ?? "", default: []].append(object.hash) }
    var sent = 0
    var faults: [String] = []
    for (name, hashes) in groups.sorted(by: { $0.key < $1.key }) {
      let (all, lists) = withParts(hashes)
      let outcome = try ObjectTransfer(try opened(name), cache: cache).push(all, lists)
      sent += outcome.transferred
      faults += outcome.failures.compactMap { $0.error?.fullMessage }
      faults += outcome.missing.map { "\($0.text) is neither in the cache nor on the remote: its model cannot be registered" }
    }
    return (sent, faults)
  }

  private func opened(_ name: String) throws(Diagnostic) -> RemoteObjects {
    RemoteObjects(try remotes.storage(name.isEmpty ? nil : name, command: "push"))
  }

  /// With what the directories among them list, as far as the cache knows it.
  private func withParts(_ hashes: [ContentHash]) -> (all: [ContentHash], lists: [ContentHash: DirectoryManifest]) {
    var parts: [ContentHash] = []
    var lists: [ContentHash: DirectoryManifest] = [:]
    for hash in hashes where hash.isDirectory {
      guard let manifest = (try? cache.store(for: hash).manifest(hash)) ?? nil else { continue }
      lists[hash] = manifest
      parts += manifest.entries.map { ContentHash(hash.algorithm, $0.md5) }
    }
    return (Array(Set(hashes + parts)), lists)
  }
}
