// The rebuildable SQLite index over all records: opened only when somebody asks a question.
// Knows what can be asked; the tables and their filling are in `LineageIndex+Schema.swift`.
package import CairnCore
import CairnSystem
import GRDB
import OrderedCollections
import Synchronization

/// Can be deleted at any time. A file that is corrupt or of another version is discarded silently; where none can be
/// written, the index is built in memory for this one process. Opening brings it up to the store.
package final class LineageIndex: Sendable {
  package let store: RecordStore
  private let path: String
  private let askRepositoryName: @Sendable () -> String?
  private let knownRepositoryName = Mutex<String??>(nil)
  private let database: Mutex<DatabaseQueue>

  /// Opens or makes the index of `store` in the file `path`, and reads what it has not seen. Where there is no record
  /// yet, no file is made: a question leaves a project that has never heard of Cairn as it was.
  ///
  /// - Parameters:
  ///   - isGuest: the store is another project's, where nothing is written.
  ///   - repositoryName: as records call it.
  package init(
    path: String, store: RecordStore, isGuest: Bool = false, repositoryName: @escaping @Sendable () -> String? = { nil }
  ) throws(Diagnostic) {
    self.store = store
    self.path = path
    askRepositoryName = repositoryName
    database = Mutex(try Self.open(path, store, isGuest: isGuest))
  }

  /// What records call this repository: asked when the first reconstructed one is met.
  private var repositoryName: String? {
    knownRepositoryName.withLock { known in
      let name = known ?? askRepositoryName()
      known = .some(name)
      return name
    }
  }

  private static func open(_ path: String, _ store: RecordStore, isGuest: Bool) throws(Diagnostic) -> DatabaseQueue {
    var hasRecords = Files.exists(path)
    if !hasRecords { hasRecords = try store.hasDocuments() }
    if hasRecords, !isGuest { try? store.prepareProjectFolder() }
    if hasRecords, let database = openFile(path) {
      do {
        try catchUp(database, with: store)
        return database
      } catch let error as DatabaseError {
        try? database.close()
        if isSpoilt(error) { remove(path) }
      } catch { throw Diagnostic.index(error) }
    }
    do {
      let again = try (hasRecords ? openFile(path) : nil) ?? openMemory()
      do {
        try catchUp(again, with: store)
        return again
      } catch is DatabaseError {
        let memory = try openMemory()
        try catchUp(memory, with: store)
        return memory
      }
    } catch { throw Diagnostic.index(error) }
  }

  /// Not our business to find out why: everything in it can be had again.
  private static func isSpoilt(_ error: DatabaseError) -> Bool {
    error.resultCode == .SQLITE_CORRUPT || error.resultCode == .SQLITE_NOTADB
  }

  /// Forgets everything and reads all records anew; gives the number of run records.
  package static func rebuild(
    path: String, store: RecordStore, repositoryName: @escaping @Sendable () -> String? = { nil }
  ) throws(Diagnostic) -> Int {
    remove(path)
    return try LineageIndex(path: path, store: store, repositoryName: repositoryName).count()
  }

  // MARK: Questions

  package struct Filter: Sendable {
    /// An address, or a pattern with `*`.
    package var stage: String?
    /// Read or written by the run: the path itself or below it.
    package var path: String?
    package var results: [RunResult]?
    package var limit: Int?
    /// `false`: only what was reconstructed; `nil`: all.
    package var isObserved: Bool?
    package init(stage: String? = nil, path: String? = nil, results: [RunResult]? = nil, limit: Int? = nil) {
      self.stage = stage
      self.path = path
      self.results = results
      self.limit = limit
    }
  }

  package func count() throws(Diagnostic) -> Int {
    try ask { try Int.fetchOne($0, sql: "SELECT count(*) FROM run") ?? 0 }
  }

  /// Newest first. Those of other repositories that share the cache are not among them.
  package func runs(_ filter: Filter = Filter()) throws(Diagnostic) -> [RunID] {
    var conditions = ["ours = 1"]
    var arguments: [any DatabaseValueConvertible] = []
    if let stage = filter.stage {
      conditions.append(stage.contains("*") ? "stage GLOB ?" : "stage = ?")
      // A bracket is part of no pattern of ours.
      arguments.append(stage.contains("*") ? stage.replacing("[", with: "[[]") : stage)
    }
    if let path = filter.path {
      conditions.append(
        """
        id IN (SELECT edge.run FROM version JOIN edge ON edge.version = version.id
          WHERE path = ? OR (path > ? AND path < ?))
        """)
      // "0" is the character after "/".
      arguments += [path, path + "/", path + "0"]
    }
    if let results = filter.results {
      conditions.append("result IN (" + results.map { _ in "?" }.joined(separator: ",") + ")")
      arguments += results.map(\.rawValue)
    }
    if let isObserved = filter.isObserved { conditions.append(isObserved ? "NOT reconstructed" : "reconstructed") }
    var sql = "SELECT hash FROM run WHERE " + conditions.joined(separator: " AND ")
    // A run that was accepted has the start of the one that it vouches for, and comes after it.
    sql += " ORDER BY started DESC, result = 'accepted' DESC, hash DESC"
    if let limit = filter.limit { sql += " LIMIT \(max(0, limit))" }
    return try runs(sql, arguments)
  }

  /// The newest attempt, of a stage or at all; where none was observed, the newest that was reconstructed.
  package func last(of stage: String? = nil) throws(Diagnostic) -> RunID? {
    var filter = Filter(stage: stage, limit: 1)
    filter.isObserved = true
    if let run = try runs(filter).first { return run }
    filter.isObserved = nil
    return try runs(filter).first
  }

  /// The newest attempt of the stage before `run`.
  package func previous(of run: RunID, stage: String) throws(Diagnostic) -> RunID? {
    try runs(
      "SELECT hash FROM run WHERE ours = 1 AND stage = ? AND started < (SELECT started FROM run WHERE hash = ?) "
        + "ORDER BY started DESC, hash DESC LIMIT 1", [stage, run.digest.hex]
    ).first
  }

  /// Behind a lock entry stands the earliest succeeded or accepted run of the stage with the same command,
  /// parameters and hashes, a reconstructed one only where none was observed; a restored one is followed to its source.
  /// `nil`: unknown, since DVC may have run it.
  package func run(behind work: WorkKey, of stage: String) throws(Diagnostic) -> RunID? {
    let candidates = try runs(
      // By the work, which few runs have done: `+` keeps SQLite from the stage's index.
      "SELECT hash FROM run WHERE ours AND work IN (?, ?) AND +stage = ? "
        + "AND result IN ('succeeded', 'accepted', 'restored') ORDER BY reconstructed, started, hash",
      [work.digest.hex, (work.former ?? work.digest).hex, stage])
    for candidate in candidates {
      if let source = try source(of: candidate) { return source }
    }
    return nil
  }

  /// The run itself, or the one whose outputs it took from the cache; `nil` where that chain ends nowhere.
  package func source(of run: RunID) throws(Diagnostic) -> RunID? {
    var run = run
    for _ in 0..<64 {
      let row = try ask { database in
        try Row.fetchOne(database, sql: "SELECT result, source FROM run WHERE hash = ?", arguments: [run.digest.hex])
          .map { (result: $0["result"] as String, source: $0["source"] as String?) }
      }
      // Named, but not here: the name is still the answer.
      guard let row else { return run }
      guard row.result == RunResult.restored.rawValue else { return run }
      guard let source = row.source.flatMap({ Digest32(hex: $0) }) else { return nil }
      run = RunID(source)
    }
    return nil
  }

  /// The runs that made these bytes at this path, trusted ones first, of these the observed ones, then by age.
  ///
  /// - Parameter limit: of the most trusted so many.
  package func generators(of artifact: LineageArtifact, limit: Int = .max) throws(Diagnostic) -> [RunID] {
    var found: [RunID] = []
    for condition in [
      "result IN ('succeeded', 'accepted') AND NOT reconstructed", "result IN ('succeeded', 'accepted') AND reconstructed",
      "result NOT IN ('succeeded', 'accepted')",
    ] where found.count < limit {
      let more = try runs(touching: artifact, .written, where: "AND " + condition, limit: limit - found.count)
      // Two versions may be meant, one with its SHA-256 and one without, and one run have both.
      found += more.filter { !found.contains($0) }
    }
    return found
  }

  /// The runs that read these bytes at this path, oldest first.
  package func consumers(of artifact: LineageArtifact) throws(Diagnostic) -> [RunID] {
    try runs(touching: artifact, .read)
  }

  /// The newest of them, newest first.
  package func newestConsumers(of artifact: LineageArtifact, limit: Int) throws(Diagnostic) -> [RunID] {
    try runs(touching: artifact, .read, order: "DESC", limit: limit)
  }

  /// Those of them that read what `maker` left there: they name it as the producer, or one that was restored from it,
  /// or, after it, the one that it was restored from, or nobody.
  package func consumers(of artifact: LineageArtifact, madeBy maker: RunID) throws(Diagnostic) -> [RunID] {
    let source = try source(of: maker) ?? maker
    return try runs(
      touching: artifact, .read,
      where: """
        AND (edge.producer = ? OR edge.producer IN (SELECT hash FROM run WHERE source = ? AND result = 'restored')
          OR (edge.producer IS NULL OR edge.producer = ?)
            AND edge.started >= (SELECT started FROM run WHERE hash = ?))
        """, [maker.digest.hex, maker.digest.hex, source.digest.hex, maker.digest.hex])
  }

  /// The runs that took their outputs from this one's, oldest first.
  package func restorations(of run: RunID) throws(Diagnostic) -> [RunID] {
    try runs(
      "SELECT hash FROM run WHERE source = ? AND result = 'restored' ORDER BY started, hash", [run.digest.hex])
  }

  /// The newest run up to `moment` after which these bytes were at this path, made or taken from the cache.
  package func writer(of path: String, md5: String, until moment: Nanoseconds) throws(Diagnostic) -> RunID? {
    try runs(
      """
      SELECT run.hash FROM version JOIN edge ON edge.version = version.id JOIN run ON run.id = edge.run
      WHERE path = ? AND md5 = ? AND direction = 1 AND edge.started <= ?
        AND result IN ('succeeded', 'accepted', 'restored')
      ORDER BY edge.started DESC, run.hash LIMIT 1
      """, [path, md5, moment]
    ).first
  }

  /// Where these bytes are at this path, with or without their SHA-256.
  private static let meant = """
    SELECT id FROM version WHERE path = ? AND md5 = ? UNION SELECT id FROM version WHERE path = ? AND sha256 = ?
    """

  private func runs(
    touching artifact: LineageArtifact, _ direction: Direction, where condition: String = "",
    _ arguments: [String] = [], order: String = "ASC", limit: Int = .max
  ) throws(Diagnostic) -> [RunID] {
    let versions = try ask { database in
      try Int64.fetchAll(
        database.cachedStatement(sql: Self.meant),
        arguments: [artifact.path, artifact.md5, artifact.path, artifact.sha256?.hex] as StatementArguments)
    }
    // Of one version the order is that of the table: only so many rows are read.
    if versions.isEmpty { return [] }
    let choice = versions.count == 1 ? "= ?" : "IN (" + versions.map { _ in "?" }.joined(separator: ",") + ")"
    let found = try runs(
      """
      SELECT run.hash FROM edge CROSS JOIN run ON run.id = edge.run
      WHERE edge.version \(choice) AND edge.direction = \(direction.rawValue) \(condition)
      ORDER BY edge.started \(order), run.hash \(limit == .max ? "" : "LIMIT \(limit)")
      """, versions + arguments)
    if versions.count < 2 { return found }
    var seen: Set<RunID> = []
    return found.filter { seen.insert($0).inserted }
  }

  /// Every place where these bytes (by MD5 or SHA-256) were read or written, the newest first.
  package func artifacts(md5: String?, sha256: Digest32?, limit: Int = .max) throws(Diagnostic) -> [LineageArtifact] {
    try artifacts(
      where: "id IN (SELECT id FROM version WHERE md5 = ? UNION SELECT id FROM version WHERE sha256 = ?)",
      [md5, sha256?.hex], limit: limit)
  }

  /// The versions of a path that records know, the newest first.
  package func artifacts(path: String, limit: Int = .max) throws(Diagnostic) -> [LineageArtifact] {
    try artifacts(where: "path = ?", [path], limit: limit)
  }

  /// This version of the path, as the records of each repository know it.
  package func artifacts(path: String, md5: String) throws(Diagnostic) -> [LineageArtifact] {
    try artifacts(where: "path = ? AND md5 = ?", [path, md5])
  }

  /// The SHA-256 that records know of these bytes at this path, where they agree.
  package func sha256(path: String, md5: String) throws(Diagnostic) -> Digest32? {
    let found = try ask { database in
      try String.fetchAll(
        database.cachedStatement(
          sql: "SELECT DISTINCT sha256 FROM version WHERE path = ? AND md5 = ? AND sha256 IS NOT NULL LIMIT 2"),
        arguments: [path, md5])
    }
    return found.count == 1 ? Digest32(hex: found[0]) : nil
  }

  /// How a run touched an artifact; numbered as in the table.
  package enum Direction: Int, Sendable { case read, written }

  /// What runs read or wrote at these paths, the newest first.
  package func artifacts(
    at paths: [String], _ direction: Direction, md5: String? = nil
  ) throws(Diagnostic) -> [LineageArtifact] {
    if paths.isEmpty { return [] }
    let places = paths.map { _ in "?" }.joined(separator: ",")
    return try artifacts(
      where: "path IN (\(places))" + (md5 == nil ? "" : " AND md5 = ?") + Self.touched(direction), paths + (md5.map { [$0] } ?? []))
  }

  /// What runs read or wrote inside this folder, the newest first.
  package func artifacts(below folder: String, _ direction: Direction) throws(Diagnostic) -> [LineageArtifact] {
    // A range and not LIKE: it uses the index. "0" is the character after "/".
    try artifacts(where: "path > ? AND path < ?" + Self.touched(direction), [folder + "/", folder + "0"])
  }

  private static func touched(_ direction: Direction) -> String {
    " AND EXISTS (SELECT 1 FROM edge WHERE edge.version = version.id AND edge.direction = \(direction.rawValue))"
  }

  /// The places whose MD5 or SHA-256 begins with these digits, the newest first.
  package func artifacts(hashPrefix prefix: String) throws(Diagnostic) -> [LineageArtifact] {
    let prefix = prefix.lowercased()
    return try artifacts(
      where: """
        id IN (SELECT id FROM version WHERE md5 >= ? AND md5 < ?
          UNION SELECT id FROM version WHERE sha256 >= ? AND sha256 < ?)
        """, [prefix, prefix + "g", prefix, prefix + "g"])
  }

  private func artifacts(
    where condition: String, _ arguments: [(any DatabaseValueConvertible)?], limit: Int = .max
  ) throws(Diagnostic) -> [LineageArtifact] {
    // In the order of age only what is cut short is read: `+` keeps SQLite from that index where all is wanted.
    let rows = try ask { database in
      try Row.fetchAll(
        database.cachedStatement(
          sql: """
          SELECT repository, path, md5, sha256, size FROM version WHERE \(condition)
          ORDER BY \(limit == .max ? "+" : "")newest DESC, path, sha256 IS NULL, repository \(limit == .max ? "" : "LIMIT \(limit)")
          """), arguments: StatementArguments(arguments))
    }
    var found: OrderedSet<LineageArtifact> = []
    for row in rows {
      found.append(
        LineageArtifact(
          repository: row["repository"] ?? repositoryName ?? "", path: row["path"], md5: row["md5"],
          sha256: (row["sha256"] as String?).flatMap { Digest32(hex: $0) },
          size: (row["size"] as Int64?).map { UInt64(bitPattern: $0) }))
    }
    // What one record knows by its MD5 alone, and another by both, is one thing.
    var known: Set<LineageArtifact> = []
    for var artifact in found where artifact.sha256 != nil {
      artifact.sha256 = nil
      known.insert(artifact)
    }
    return found.filter { $0.sha256 != nil || !known.contains($0) }
  }

  /// What a record calls the repository; of a reconstructed one, what we call it.
  package func repository(of record: RunRecord) -> String? {
    guard record.reconstructed != nil, store.isOurs(record.source.repository) ?? false else { return record.source.repository }
    return repositoryName ?? record.source.repository
  }

  /// Whether this project's records are, or were once, of a repository of that name.
  func isOurs(_ repository: String) throws(Diagnostic) -> Bool {
    if repository == repositoryName ?? "" { return true }
    let isRecorded = try ask { database in
      try Bool.fetchOne(
        database.cachedStatement(sql: "SELECT EXISTS (SELECT 1 FROM run WHERE repository = ? AND ours)"),
        arguments: [repository])
    }
    return isRecorded ?? false
  }

  /// Files in folders that runs have read or made, and that no record names by themselves: those with these bytes.
  ///
  /// - Parameter others: folders that no run knows of.
  package func parts(
    withHash md5: Digest16, in others: [LineageArtifact], cached: @escaping @Sendable (String) -> DirectoryManifest?
  ) throws(Diagnostic) -> [LineageArtifact] {
    var contents = FolderContents(self, cached: cached)
    var found: OrderedSet<LineageArtifact> = []
    // The newest: each has to be read.
    for folder in try artifacts(where: "md5 LIKE '%.dir'", [], limit: Self.searchedFolders) + others {
      for part in try contents.parts(of: folder, md5: md5) where !found.contains(where: { $0.path.hasSameBytes(as: part.path) }) {
        found.append(part)
      }
    }
    return found.elements
  }

  private static let searchedFolders = 256

  /// How often a result was used again without being run, and the last time.
  package func reuses(of run: RunID) throws(Diagnostic) -> [LineageGraph.Reuse] {
    try ask { database in
      try Row.fetchAll(
        database.cachedStatement(sql: "SELECT * FROM reuse WHERE run = ? ORDER BY state"), arguments: [run.hex]
      ).map { row in
        LineageGraph.Reuse(
          state: row["state"], times: row["times"], invocation: row["invocation"], started: row["started"],
          actor: row["actor"], commit: row["commit_name"])
      }
    }
  }

  private func runs(_ sql: String, _ arguments: [(any DatabaseValueConvertible)?]) throws(Diagnostic) -> [RunID] {
    try ask { database in
      try String.fetchAll(database.cachedStatement(sql: sql), arguments: StatementArguments(arguments))
        .compactMap { RunID(hex: $0) }
    }
  }

  func runs(startingWith prefix: String) throws(Diagnostic) -> [RunID] {
    // A range and not LIKE: it uses the index.
    try runs("SELECT hash FROM run WHERE hash >= ? AND hash < ? ORDER BY hash", [prefix, prefix + "g"])
  }

  /// The names that stand before and after a run's, if there are any: for telling them apart by few digits.
  package func neighbours(of run: RunID) throws(Diagnostic) -> [RunID] {
    try runs(
      """
      SELECT * FROM (SELECT hash FROM run WHERE hash < ?1 ORDER BY hash DESC LIMIT 1)
      UNION ALL SELECT * FROM (SELECT hash FROM run WHERE hash > ?1 ORDER BY hash LIMIT 1)
      """, [run.hex])
  }

  func documents(ofSchema schema: String) throws(Diagnostic) -> [Digest32] {
    try ask { database in
      try String.fetchAll(database, sql: "SELECT hash FROM document WHERE schema = ? ORDER BY hash", arguments: [schema])
        .compactMap { Digest32(hex: $0) }
    }
  }

  /// All that is asked from here on is answered from one state of the index, and in less time, until `letGo`. Who writes
  /// waits for it: not to be held while somebody else is asked.
  func hold() {
    try? database.withLock { $0 }.unsafeRead { database in
      // Where it cannot begin, each question stands by itself.
      if !database.isInsideTransaction { try database.execute(sql: "BEGIN DEFERRED") }
    }
  }

  func letGo() {
    try? database.withLock { $0 }.unsafeRead { database in
      if database.isInsideTransaction { try database.execute(sql: "COMMIT") }
    }
  }

  func ask<Answer>(_ question: (Database) throws -> Answer) throws(Diagnostic) -> Answer {
    do {
      let database = database.withLock { $0 }
      do {
        // Not `read`, whose transactions would take more time than most of the questions: one that is asked while the
        // index is written is answered from before or after that, as any question is.
        return try database.unsafeRead(question)
      } catch let error as DatabaseError where Self.isSpoilt(error) {
        // In pages that opening did not look at.
        try? database.close()
        Self.remove(path)
        let again = try Self.open(path, store, isGuest: true)
        self.database.withLock { $0 = again }
        return try again.read(question)
      }
    } catch { throw Diagnostic.index(error) }
  }
}

extension Diagnostic {
  static func index(_ error: any Error) -> Diagnostic {
    if let diagnostic = error as? Diagnostic { return diagnostic }
    return Diagnostic(.io, "cannot ask the index of run records").because(of: error)
      .hinting("`cairn runs rebuild` makes it anew")
  }
}
