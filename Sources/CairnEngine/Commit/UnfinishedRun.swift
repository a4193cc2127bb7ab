// What runs that were cut short have added to locks and `.gitignore` files before its turn.
package import CairnCore
import CairnFormats
import CairnStore
import CairnSystem
import OrderedCollections

/// Entries and lines of stages that ended beside an earlier one which did not: a serial run had not come to them. With
/// what the run that goes on adds they come into its order, so the files end as if no stage had gone ahead. What a
/// serial run would have written by then keeps its place, whatever becomes of the pipeline, as after DVC.
///
/// `.cairn/unfinished.json` keeps it between two processes, and the journal while one runs. Nothing but order hangs on
/// it: without it the new entries and lines follow the old ones.
package struct UnfinishedRun: Hashable, Sendable {
  /// By the path of a lock its stages, by that of a `.gitignore` the names with a line there: of each its place in the
  /// serial order of the run that added it, or that went on with it.
  private var additions: [RepoPath: OrderedDictionary<String, Int>] = [:]

  /// Outputs that ended well behind a failure, whose lines went with it: a serial run would come to them only now.
  package private(set) var owed: Set<RepoPath> = []

  package init() {}

  package var isEmpty: Bool { additions.isEmpty && owed.isEmpty }

  package var files: some Collection<RepoPath> { additions.keys }

  /// In the serial order.
  package func names(in file: RepoPath) -> [String] {
    (additions[file] ?? [:]).sorted { $0.value < $1.value }.map(\.key)
  }

  package func position(of name: String, in file: RepoPath) -> Int? { additions[file]?[name] }

  package func isAdded(to file: RepoPath) -> Bool { additions[file] != nil }

  package mutating func add(_ name: String, to file: RepoPath, position: Int) {
    additions[file, default: [:]][name] = position
  }

  /// For a line that `.gitignore` gets beside `output`.
  package mutating func addLine(for output: RepoPath, position: Int) {
    add(output.name, to: IgnoreBook.file(in: output.parent), position: position)
  }

  package mutating func merge(_ other: UnfinishedRun) {
    additions.merge(other.additions) { $0.merging($1) { $1 } }
    owed.formUnion(other.owed)
  }

  package mutating func owe(_ outputs: some Sequence<RepoPath>) { owed.formUnion(outputs) }

  /// Only what `isThere` says stands in the file.
  package mutating func keep(in file: RepoPath, where isThere: (String) -> Bool) {
    drop(from: file) { name, _ in !isThere(name) }
  }

  private mutating func drop(from file: RepoPath, where isGone: (_ name: String, _ position: Int) -> Bool) {
    additions[file]?.removeAll { isGone($0.key, $0.value) }
    if additions[file]?.isEmpty ?? false { additions[file] = nil }
  }

  /// The same with the places that `stages`, what a run wants, have in its order; the rest comes behind all of them.
  package func ordered(by stages: some Collection<Stage>) -> UnfinishedRun {
    if isEmpty { return self }
    var places: [RepoPath: [String: Int]] = [:]
    for (index, stage) in stages.enumerated() {
      if let name = stage.address.name { places[LockBook.lockPath(of: stage.address.file), default: [:]][name] = index }
      for path in stage.outputs.compactMap(\.location.local) {
        places[IgnoreBook.file(in: path.parent), default: [:]][path.name] = index
      }
    }
    var run = self
    for file in files {
      for (index, name) in names(in: file).enumerated() {
        run.additions[file]?[name] = places[file]?[name] ?? stages.count + index
      }
    }
    // Their lines may be written at any moment, and then a crash come.
    for path in owed {
      let file = IgnoreBook.file(in: path.parent)
      if let place = places[file]?[path.name] { run.add(path.name, to: file, position: place) }
    }
    return run
  }

  /// A serial run has come to this place: what is before it stays where it is.
  package mutating func settle(before place: Int) {
    for file in Array(files) { drop(from: file) { _, position in position < place } }
  }

  /// A serial run has come to these outputs.
  package mutating func settle(_ outputs: some Sequence<RepoPath>) { if !owed.isEmpty { owed.subtract(outputs) } }

  // MARK: Between two processes

  package static func path(in repository: Repository) -> String {
    Repository.join(repository.cairnFolder, "unfinished.json")
  }

  /// What is left of earlier runs. A file that holds other bytes than they left has moved on, and so is not in it.
  package static func load(_ repository: Repository) -> UnfinishedRun {
    let path = path(in: repository)
    guard let bytes = (try? Files.read(path)) ?? nil,
      let value = try? JSONReader.parse(SourceText(path: path, bytes: bytes)).value,
      value["schema"]?.string == schema
    else { return UnfinishedRun() }
    var run = UnfinishedRun(value)
    for file in Array(run.files) {
      let digest = digest(of: file, in: repository.root)
      if digest == nil || digest != value["md5"]?[file.text]?.string { run.additions[file] = nil }
    }
    return run
  }

  /// For the next run, while the caller holds the write lock. A disk that is full costs the order alone.
  package func save(_ repository: Repository) {
    let path = Self.path(in: repository)
    if isEmpty {
      _ = try? Files.remove(path)
      return
    }
    var digests: ValueMap = [:]
    for file in files {
      if let digest = Self.digest(of: file, in: repository.root) { digests[.string(file.text)] = .string(digest) }
    }
    var document = value
    document["schema"] = .string(Self.schema)
    document["md5"] = .map(digests)
    try? AtomicFile.write(JSONWriter.bytes(.map(document), ensureASCII: false), to: path, sync: false)
  }

  private static let schema = "cairn.unfinished/v1"

  private static func digest(of file: RepoPath, in root: String) -> String? {
    guard let bytes = (try? Files.read(root + "/" + file.text)) ?? nil else { return nil }
    return ContentHasher.md5(of: bytes).hex
  }

  // MARK: As a value

  /// `added`: by file the names, each with its position; `owed`: paths.
  package var value: ValueMap {
    var added: ValueMap = [:]
    for file in additions.keys.sorted() {
      added[.string(file.text)] = .list(
        additions[file, default: [:]].map { .list([.string($0.key), .int($0.value)]) })
    }
    return ["added": .map(added), "owed": .list(owed.sorted().map { .string($0.text) })]
  }

  /// Leaves out what is not in this form.
  package init(_ value: Value) {
    for (key, list) in value["added"]?.map ?? [:] {
      guard let file = key.string else { continue }
      for item in list.list ?? [] {
        guard let parts = item.list, parts.count == 2, let name = parts[0].string, let position = parts[1].int else {
          continue
        }
        add(name, to: RepoPath(unchecked: file), position: position)
      }
    }
    owe((value["owed"]?.list ?? []).compactMap { $0.string.map(RepoPath.init(unchecked:)) })
  }
}
