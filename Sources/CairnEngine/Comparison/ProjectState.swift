// One state of a project that values are read from: the workspace, or a commit. Knows nothing of what is compared.
package import CairnCore
import CairnFormats
package import CairnStore
import CairnSystem
import Synchronization

/// Loaded when it is first asked for: a file that is named need not wait for the pipeline, nor fail with it.
package final class ProjectState: Sendable {
  package let files: any ProjectFiles
  package let loader: PipelineLoader
  private let cache: DataCache
  /// The commit; `nil` for the workspace.
  private let revision: String?
  /// Where data is that the cache lacks; `nil`: nobody is asked.
  private let remotes: OpenRemotes?
  private let loaded = Mutex<Result<LoadedProject, Diagnostic>?>(nil)
  private let data = Mutex<[RepoPath: ContentHash?]?>(nil)

  package init(
    files: any ProjectFiles, loader: PipelineLoader, cache: DataCache, revision: String?, remotes: OpenRemotes? = nil
  ) {
    self.remotes = remotes
    self.files = files
    self.loader = loader
    self.cache = cache
    self.revision = revision
  }

  /// - Throws: the first fault of the pipeline files.
  package func project() throws(Diagnostic) -> LoadedProject {
    if let known = loaded.withLock({ $0 }) { return try known.get() }
    let result: Result<LoadedProject, Diagnostic>
    do throws(Diagnostic) {
      result = .success(try loader.load())
    } catch {
      result = .failure(error.named(inCommit: revision))
    }
    loaded.withLock { $0 = result }
    return try result.get()
  }

  /// The document at a path relative to the project: of the tree, else of the cache when an output lies there.
  package func document(at text: String) throws(Diagnostic) -> Value {
    guard let path = RepoPath(text) else { throw .noFile(text) }
    return try ParameterFile.parse(SourceText(path: text, bytes: try bytes(at: path))).value
  }

  private func bytes(at path: RepoPath) throws(Diagnostic) -> [UInt8] {
    if files.isDirectory(path) { throw Diagnostic(.isFolder, "[Errno 21] Is a directory: '\(path.text)'") }
    if let bytes = try files.read(path) { return bytes }
    let outputs = try outputs()
    if let hash = outputs[path] {
      if let hash, let bytes = try object(hash) { return bytes }
      throw .noStorage(path)
    }
    guard let (folder, manifest, algorithm) = try folder(around: path, outputs) else { throw .noFile(path.text) }
    let name = path.relative(to: folder)
    guard let entry = manifest.entries.first(where: { $0.path.hasSameBytes(as: name) }) else { throw .noFile(path.text) }
    let hash = ContentHash(algorithm, entry.md5)
    guard let bytes = try object(hash) else { throw .noStorage(path) }
    return bytes
  }

  /// The cache's, else the default remote's, held against its hash; the cache does not get it.
  private func object(_ hash: ContentHash) throws(Diagnostic) -> [UInt8]? {
    if let bytes = try cache.store(for: hash).read(hash) { return bytes }
    guard let storage = try? remotes?.storage(nil, command: "fetch"),
      let bytes = (try? storage.read(RemoteObjects.key(of: hash), limit: Files.plainLimit)) ?? nil,
      ContentHasher.digests(of: bytes, DigestKinds(hash.algorithm, sha256: false))[hash.algorithm] == hash.digest
    else { return nil }
    return bytes
  }

  private func list(_ hash: ContentHash) -> DirectoryManifest? {
    if let list = (try? cache.store(for: hash).manifest(hash)) ?? nil { return list }
    guard let storage = try? remotes?.storage(nil, command: "fetch") else { return nil }
    return ((try? RemoteObjects(storage).list(of: hash)) ?? nil)?.manifest
  }

  /// The files that a path means: those below a folder, in the order of their bytes, else the path itself. DVC's own
  /// files are among them only where they are named; the lock counts as any other.
  package func expand(_ text: String) -> [String] {
    guard let path = RepoPath(text) else { return [text] }
    var names: Set<RepoPath> = []
    let isFolder = files.isDirectory(path)
    if !isFolder, files.exists(path) { return [text] }
    if isFolder { add(path, to: &names) }
    let outputs = (try? outputs()) ?? [:]
    if let hash = outputs[path], !(hash?.isDirectory ?? false) { return [text] }
    var isData = false
    for (output, hash) in outputs where output.isInside(path) || path.isInside(output) {
      if let hash, hash.isDirectory {
        guard let manifest = list(hash) else { continue }
        for entry in manifest.entries {
          let file = output.appending(entry.path)
          if file != path, file.isInside(path), !isDVCFile(file) {
            names.insert(file)
            isData = true
          }
        }
      } else if output != path, output.isInside(path) {
        names.insert(output)
        isData = true
      }
    }
    return isFolder || isData ? names.sorted().map(\.text) : [text]
  }

  private func isDVCFile(_ path: RepoPath) -> Bool { path.name == ".dvcignore" || TargetWords.isStageFile(path.name) }

  private func add(_ folder: RepoPath, to names: inout Set<RepoPath>) {
    for entry in ((try? files.list(folder)) ?? nil) ?? [] {
      let path = folder.appending(entry.name)
      let isDirectory = entry.kind == .directory
      if isDVCFile(path) || loader.ignore.isIgnored(path, isDirectory: isDirectory) { continue }
      if isDirectory { add(path, to: &names) } else { names.insert(path) }
    }
  }

  private func folder(
    around path: RepoPath, _ outputs: [RepoPath: ContentHash?]
  ) throws(Diagnostic) -> (RepoPath, DirectoryManifest, ContentHash.Algorithm)? {
    var folder = path
    while !folder.isRoot {
      folder = folder.parent
      if let hash = outputs[folder] ?? nil, hash.isDirectory {
        guard let manifest = try cache.store(for: hash).manifest(hash) ?? list(hash) else { throw .noFolderList(folder) }
        return (folder, manifest, hash.algorithm)
      }
    }
    return nil
  }

  /// The cached outputs with the hash that they should have, if any is recorded.
  private func outputs() throws(Diagnostic) -> [RepoPath: ContentHash?] {
    if let known = data.withLock({ $0 }) { return known }
    let project = try project()
    var outputs: [RepoPath: ContentHash?] = [:]
    for stage in project.pipeline.stages {
      let lock = stage.tracked == nil ? project.lockEntry(of: stage) : nil
      for (index, output) in stage.outputs.enumerated() where output.isCached {
        guard let path = output.location.local else { continue }
        let locked = stage.tracked.map { $0.outputs.indices.contains(index) ? $0.outputs[index] : nil }
          ?? lock?.out(output.declared)
        outputs[path] = .some(locked?.contentHash)
      }
    }
    data.withLock { [outputs] in $0 = outputs }
    return outputs
  }
}

extension Diagnostic.Code {
  package static let isFolder = Diagnostic.Code("is-folder")
  package static let noFile = Diagnostic.Code("no-file")
}

extension Diagnostic {
  fileprivate static func noFile(_ path: String) -> Diagnostic {
    Diagnostic(.noFile, "[Errno 2] No such file or directory: '\(path)'")
  }

  fileprivate static func noStorage(_ path: RepoPath) -> Diagnostic {
    Diagnostic(.noFile, "[Errno 2] No storage files available: '\(path.text)'")
  }

  /// DVC says of a pipeline file that is broken in which commit that is.
  ///
  /// - Parameter id: `nil` for the work tree.
  func named(inCommit id: String?) -> Diagnostic {
    guard let id else { return self }
    let place = " in revision '\(id.prefix(7))'"
    var error = self
    switch code {
    case .schema, .validationFailed:
      error.message = message.replacing("' validation failed", with: "' validation failed" + place, maxReplacements: 1)
    case .yamlSyntax where message.contains("' is invalid") && message.hasSuffix("."):
      error.message = message.dropLast() + place + "."
    default: break
    }
    return error
  }
}
