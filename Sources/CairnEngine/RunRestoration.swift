// Brings what a run had back into the workspace: parameters into their files, outputs from the cache or from `kept`.
// Runs nothing, and leaves locks alone unless a person accepts (`RunRestoration+Accept.swift`).
package import CairnCore
import CairnFormats
import CairnStore
import CairnSystem

package struct RunRestoration: Sendable {
  let repository: Repository
  let settings: Settings
  let cache: DataCache
  let snapshotter: Snapshotter
  /// What was typed: told to whoever waits for a path.
  let arguments: [String]

  package init(_ repository: Repository, _ settings: Settings, arguments: [String]) {
    self.repository = repository
    self.settings = settings
    self.arguments = arguments
    cache = DataCache(
      folder: settings.cacheFolder, linkTypes: settings.linkKinds.compactMap { LinkType(rawValue: $0.rawValue) },
      isShared: settings.isCacheShared)
    let state = StateIndex(
      path: Repository.join(repository.cairnFolder, "state"),
      isNetworkFileSystem: Machine.isNetworkFileSystem(repository.root))
    snapshotter = Snapshotter(root: repository.root, index: state)
  }

  package struct Applied: Sendable {
    package struct Change: Sendable {
      package var file: String
      /// The leaf that differs: a map is gone through, so that the comments in it stay.
      package var path: [PathStep]
      package var was: Value?
      /// `nil`: the run did not have it.
      package var now: Value?

      package var key: String { path.map(\.text).joined(separator: ".") }
    }
    package var parameters: [Change] = []
    package var outputs: [String] = []
    /// Outputs that no cache holds, or that lie outside of the project.
    package var missing: [String] = []
  }

  /// - Parameter force: replace files that no cache holds.
  package func apply(_ record: RunRecord, of run: RunID, force: Bool) throws(Diagnostic) -> Applied {
    guard record.result.leavesLock else {
      throw Diagnostic(
        .usage, "run \(run.short) of '\(record.stage.address)' ended as '\(record.result.rawValue)': it has no outputs to trust"
      ).hinting(record.result == .inputChanged ? "`cairn runs salvage \(run.short)` brings back what it made" : "")
    }
    return try locked(record.outputs) { () throws(Diagnostic) in
      // All that can be refused is refused before anything is written.
      var plans: [(checkout: Checkout, plan: CheckoutPlan)] = []
      var applied = Applied()
      for output in record.outputs {
        guard let path = RepoPath(output.path), let hash = output.md5.flatMap({ ContentHash($0) }) else {
          applied.missing.append(output.path)
          continue
        }
        if snapshotter.observe(path).hash == hash { continue }
        guard try cache.contains(hash) else {
          applied.missing.append(output.path)
          continue
        }
        let checkout = Checkout(cache: cache, snapshotter: snapshotter)
        let plan = try checkout.plan(CheckoutTarget(path: path, hash: hash, size: output.size))
        if !force, let lost = plan.unsaved.first {
          throw Diagnostic(.wouldLose, "'\(repository.repoPath(of: lost)?.text ?? lost)' is in no cache and would be lost")
            .hinting("move it away, or pass --force")
        }
        plans.append((checkout, plan))
      }
      let files = try parameterFiles(record, &applied)
      for (path, bytes) in files {
        // A file that is checked out as a link is the cache's own.
        let isCached = try Files.realPath(path)?.utf8.starts(with: (cache.folder + "/").utf8) ?? false
        try AtomicFile.writeKeepingMode(bytes, to: path, sync: false, followsLinks: !isCached)
      }
      for (checkout, plan) in plans {
        if try checkout.apply(plan) { applied.outputs.append(plan.path.text) } else { applied.missing.append(plan.path.text) }
      }
      return applied
    }
  }

  // MARK: Parameters

  private func parameterFiles(
    _ record: RunRecord, _ applied: inout Applied
  ) throws(Diagnostic) -> [(path: String, bytes: [UInt8])] {
    let paths = repository.paths
    var files: [(path: String, bytes: [UInt8])] = []
    for (file, values) in record.params {
      let path = paths.absolute(paths.location(ofRecorded: file)) ?? file
      let source = SourceText(path: file, bytes: try Files.read(path) ?? [])
      let present = source.bytes.isEmpty ? Value.emptyMap : try ParameterFile.parse(source).value
      let changes = values.flatMap { key, value in
        Self.differences(in: file, at: present.steps(key), from: present.parameter(key), to: value)
      }
      if changes.isEmpty { continue }
      files.append((path, try Self.edited(source, present, changes)))
      applied.parameters += changes
    }
    return files
  }

  private static func differences(
    in file: String, at path: [PathStep], from was: Value?, to now: Value?
  ) -> [Applied.Change] {
    if let was = was?.map, let now = now?.map, !now.isEmpty {
      return (Array(was.keys) + now.keys.filter { was[$0] == nil }).flatMap { key in
        differences(in: file, at: path + [.key(key.string ?? "")], from: was[key], to: now[key])
      }
    }
    if let was, let now, was.isEqualInPython(to: now) { return [] }
    return [Applied.Change(file: file, path: path, was: was, now: now)]
  }

  private static func edited(
    _ source: SourceText, _ present: Value, _ changes: [Applied.Change]
  ) throws(Diagnostic) -> [UInt8] {
    let suffix = ParameterFile.suffix(of: source.path)
    if suffix == ".toml" {
      var editor = try TOMLEditor(source)
      for change in changes {
        let path = change.path.map(\.text)
        if let now = change.now { try editor.set(path, to: now) } else { try editor.remove(path) }
      }
      return Array(editor.text.utf8)
    }
    if suffix == ".json" {
      var value = present
      for change in changes { value = value.setting(change.path.map(\.text)[...], to: change.now) ?? value }
      return Array((JSONWriter.text(value, indent: 4, ensureASCII: false) + "\n").utf8)
    }
    if suffix == ".py" {
      throw Diagnostic(.usage, "cannot put parameters back into '\(source.path)': it is a program")
        .hinting(changes.map { "\($0.key) = \($0.now?.scalarText ?? "(not set)")" }.joined(separator: ", "))
    }
    var editor = try YAMLEditor(source)
    for change in changes {
      if let now = change.now { try editor.set(change.path, to: now) } else { try editor.remove(change.path) }
    }
    return Array(editor.text.utf8)
  }

  // MARK: Salvage

  /// The outputs that were kept under the run, back at their places; gives the paths that had to be written.
  package func salvage(_ record: RunRecord, of run: RunID) throws(Diagnostic) -> [String] {
    let kept = Repository.join(repository.cairnFolder, "kept/" + run.hex)
    guard Files.isDirectory(kept) else {
      throw Diagnostic(.noSuchRun, "nothing is kept of run \(run.short) ('\(record.result.rawValue)')")
        .hinting("only a run that ended as 'input-changed' leaves outputs to salvage")
    }
    return try locked(record.outputs) { () throws(Diagnostic) in
      var written: [(path: RepoPath, source: String)] = []
      for output in record.outputs {
        guard let path = RepoPath(output.path) else { continue }
        let source = Repository.join(kept, path.text)
        guard Files.exists(source, followLinks: false) else { continue }
        let now = snapshotter.observe(path)
        if let hash = now.hash, hash.text == output.md5 { continue }
        if !now.isMissing {
          guard let hash = now.hash, try cache.contains(hash) else {
            throw Diagnostic(.wouldLose, "'\(path)' is in no cache and would be lost").hinting("move it away first")
          }
        }
        written.append((path, source))
      }
      for (path, source) in written {
        let target = repository.absolute(path)
        try Self.removeTree(target)
        try Files.makeDirectories(Repository.parent(target))
        try Self.copyTree(source, to: target)
      }
      return written.map(\.path.text)
    }
  }

  static func removeTree(_ path: String) throws(Diagnostic) {
    guard let stat = try FileStat.of(path, followLinks: false) else { return }
    guard stat.isDirectory else {
      try Files.remove(path)
      return
    }
    for entry in try Files.list(path) ?? [] { try removeTree(Repository.join(path, entry.name)) }
    try Files.removeEmptyDirectory(path)
  }

  static func copyTree(_ source: String, to target: String) throws(Diagnostic) {
    guard let stat = try FileStat.of(source, followLinks: false) else { return }
    switch stat.kind {
    case .directory:
      try Files.makeDirectories(target)
      for entry in try Files.list(source) ?? [] {
        try copyTree(Repository.join(source, entry.name), to: Repository.join(target, entry.name))
      }
    case .symlink:
      if let link = try Files.readLink(source) { _ = try FileLink.make(.symlink, from: link, to: target) }
    default:
      if try !FileLink.make(.reflink, from: source, to: target) { _ = try FileLink.make(.copy, from: source, to: target) }
      try Files.chmod(target, stat.mode | 0o200)
    }
  }

  func locked<Result>(
    _ outputs: [RunRecord.OutputPart], _ body: () throws(Diagnostic) -> Result
  ) throws(Diagnostic) -> Result {
    try LockedOutputs(repository: repository, settings: settings, cache: cache, arguments: arguments)
      .write(outputs.compactMap { RepoPath($0.path) }, body)
  }
}

extension Value {
  /// What a dotted key means in a parameter file; a key with dots in it that stands there as such wins.
  func parameter(_ key: String) -> Value? {
    if let direct = self[key] { return direct }
    var value = self
    for step in steps(key) {
      switch step {
      case .key(let name):
        guard let next = value[name] else { return nil }
        value = next
      case .index(let number):
        guard let items = value.list, items.indices.contains(number) else { return nil }
        value = items[number]
      }
    }
    return value
  }

  /// `train.layers.0` as steps: a number is a position where there is a list.
  fileprivate func steps(_ key: String) -> [PathStep] {
    var steps: [PathStep] = []
    var value: Value? = self
    for part in key.split(separator: ".").map(String.init) {
      if let items = value?.list, let number = Int(part) {
        steps.append(.index(number))
        value = items.indices.contains(number) ? items[number] : nil
      } else {
        steps.append(.key(part))
        value = value?[part]
      }
    }
    return steps
  }

  /// With `new` at `path`; `nil` takes it out.
  fileprivate func setting(_ path: ArraySlice<String>, to new: Value?) -> Value? {
    guard let first = path.first else { return new }
    if case .list(var items) = self, let number = Int(first), items.indices.contains(number) {
      items[number] = items[number].setting(path.dropFirst(), to: new) ?? items[number]
      return .list(items)
    }
    var map = self.map ?? [:]
    map[.string(first)] = (map[.string(first)] ?? .emptyMap).setting(path.dropFirst(), to: new)
    return .map(map)
  }
}

extension PathStep {
  fileprivate var text: String {
    switch self {
    case .key(let name): name
    case .index(let number): String(number)
    }
  }
}

extension Diagnostic.Code {
  /// Something that no cache holds would be overwritten.
  package static let wouldLose = Diagnostic.Code("would-lose")
}
