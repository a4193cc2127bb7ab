// The rebuildable SQLite index over all records: opened only when somebody asks a question.
// Knows what can be asked; the tables and their filling are in `LineageIndex+Schema.swift`.
package import CairnCore
import CairnSystem
import GRDB
import Synchronization

/// Can be deleted at any time. A file that is corrupt or of another version is discarded silently; where none can be
/// written, the index is built in memory for this one process. Opening brings it up to the store.
package final class LineageIndex: Sendable {
  package let store: RecordStore
  private let path: String
  private let database: Mutex<DatabaseQueue>

  /// Opens or makes the index of `store` in the file `path`, and reads what it has not seen. Where there is no record
  /// yet, no file is made: a question leaves a project that has never heard of Cairn as it was.
  package init(path: String, store: RecordStore) throws(Diagnostic) {
    self.store = store
    self.path = path
    database = Mutex(try Self.open(path, store))
  }

  private static func open(_ path: String, _ store: RecordStore) throws(Diagnostic) -> DatabaseQueue {
    let hasRecords = try !store.documents().isEmpty
    if hasRecords { try? store.prepareProjectFolder() }
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
  package static func rebuild(path: String, store: RecordStore) throws(Diagnostic) -> Int {
    remove(path)
    return try LineageIndex(path: path, store: store).count()
  }

  // MARK: Questions

  package struct Filter: Sendable {
    /// An address, or a pattern with `*`.
    package var stage: String?
    /// Read or written by the run: the path itself or below it.
    package var path: String?
    package var results: [RunResult]?
    package var limit: Int?
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
    var conditions = ["ours"]
    var arguments: [any DatabaseValueConvertible] = []
    if let stage = filter.stage {
      conditions.append(stage.contains("*") ? "stage GLOB ?" : "stage = ?")
      // A bracket is part of no pattern of ours.
      arguments.append(stage.contains("*") ? stage.replacing("[", with: "[[]") : stage)
    }
    if let path = filter.path {
      conditions.append(
        "EXISTS (SELECT 1 FROM artifact WHERE artifact.run = run.id AND (path = ? OR substr(path, 1, ?) = ?))")
      arguments += [path, path.unicodeScalars.count + 1, path + "/"]
    }
    if let results = filter.results {
      conditions.append("result IN (" + results.map { _ in "?" }.joined(separator: ",") + ")")
      arguments += results.map(\.rawValue)
    }
    var sql = "SELECT hash FROM run WHERE " + conditions.joined(separator: " AND ")
    // A run that was accepted has the start of the one that it vouches for, and comes after it.
    sql += " ORDER BY started DESC, result = 'accepted' DESC, hash DESC"
    if let limit = filter.limit { sql += " LIMIT \(max(0, limit))" }
    return try runs(sql, arguments)
  }

  /// The newest attempt, of a stage or at all.
  package func last(of stage: String? = nil) throws(Diagnostic) -> RunID? {
    try runs(Filter(stage: stage, limit: 1)).first
  }

  /// The newest attempt of the stage before `run`.
  package func previous(of run: RunID, stage: String) throws(Diagnostic) -> RunID? {
    try runs(
      "SELECT hash FROM run WHERE ours AND stage = ? AND started < (SELECT started FROM run WHERE hash = ?) "
        + "ORDER BY started DESC, hash DESC LIMIT 1", [stage, run.digest.hex]
    ).first
  }

  /// Behind a lock entry stands the earliest succeeded or accepted run of the stage with the same command,
  /// parameters and hashes; a restored one is followed to its source. `nil`: unknown, since DVC may have run it.
  package func run(behind work: WorkKey, of stage: String) throws(Diagnostic) -> RunID? {
    let candidates = try runs(
      "SELECT hash FROM run WHERE ours AND work IN (?, ?) AND stage = ? "
        + "AND result IN ('succeeded', 'accepted', 'restored') ORDER BY started, hash",
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

  /// The runs that made these bytes at this path, trusted ones first, then by age.
  package func generators(of artifact: LineageArtifact) throws(Diagnostic) -> [RunID] {
    try runs(touching: artifact, direction: 1)
  }

  /// The runs that read these bytes at this path, oldest first.
  package func consumers(of artifact: LineageArtifact) throws(Diagnostic) -> [RunID] {
    try runs(touching: artifact, direction: 0)
  }

  /// Those of them that read what `maker` left there: they name it as the producer, or one that was restored from it,
  /// or, after it, the one that it was restored from, or nobody.
  package func consumers(of artifact: LineageArtifact, madeBy maker: RunID) throws(Diagnostic) -> [RunID] {
    let source = try source(of: maker) ?? maker
    return try runs(
      touching: artifact, direction: 0,
      where: """
        AND (artifact.producer = ? OR artifact.producer IN (SELECT hash FROM run WHERE source = ? AND result = 'restored')
          OR (artifact.producer IS NULL OR artifact.producer = ?)
            AND started >= (SELECT started FROM run WHERE hash = ?))
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
      SELECT run.hash FROM artifact JOIN run ON run.id = artifact.run
      WHERE path = ? AND direction = 1 AND artifact.md5 = ? AND started <= ?
        AND result IN ('succeeded', 'accepted', 'restored')
      ORDER BY started DESC, run.hash LIMIT 1
      """, [path, md5, moment]
    ).first
  }

  private func runs(
    touching artifact: LineageArtifact, direction: Int, where condition: String = "", _ arguments: [String] = []
  ) throws(Diagnostic) -> [RunID] {
    try runs(
      """
      SELECT DISTINCT run.hash FROM artifact JOIN run ON run.id = artifact.run
      WHERE path = ? AND direction = ? AND (artifact.md5 = ? OR artifact.sha256 = ?) \(condition)
      ORDER BY result NOT IN ('succeeded', 'accepted'), started, run.hash
      """, [artifact.path, direction, artifact.md5, artifact.sha256?.hex] + arguments)
  }

  /// Every place where these bytes (by MD5 or SHA-256) were read or written.
  package func artifacts(md5: String?, sha256: Digest32?) throws(Diagnostic) -> [LineageArtifact] {
    try artifacts(where: "artifact.md5 = ? OR artifact.sha256 = ?", [md5, sha256?.hex])
  }

  /// The versions of a path that records know, the newest first.
  package func artifacts(path: String) throws(Diagnostic) -> [LineageArtifact] {
    try artifacts(where: "path = ?", [path])
  }

  /// How a run touched an artifact; numbered as in the table.
  package enum Direction: Int, Sendable { case read, written }

  /// What runs read or wrote at these paths, the newest first.
  package func artifacts(at paths: [String], _ direction: Direction) throws(Diagnostic) -> [LineageArtifact] {
    if paths.isEmpty { return [] }
    let places = paths.map { _ in "?" }.joined(separator: ",")
    return try artifacts(where: "direction = ? AND path IN (\(places))", [direction.rawValue] + paths)
  }

  /// What runs read or wrote inside this folder, the newest first.
  package func artifacts(below folder: String, _ direction: Direction) throws(Diagnostic) -> [LineageArtifact] {
    // A range and not LIKE: it uses the index. "0" is the character after "/".
    try artifacts(where: "direction = ? AND path > ? AND path < ?", [direction.rawValue, folder + "/", folder + "0"])
  }

  /// The places whose MD5 or SHA-256 begins with these digits.
  package func artifacts(hashPrefix prefix: String) throws(Diagnostic) -> [LineageArtifact] {
    let prefix = prefix.lowercased()
    return try artifacts(
      where: "substr(artifact.md5, 1, ?) = ? OR substr(artifact.sha256, 1, ?) = ?",
      [prefix.utf8.count, prefix, prefix.utf8.count, prefix])
  }

  private func artifacts(
    where condition: String, _ arguments: [(any DatabaseValueConvertible)?]
  ) throws(Diagnostic) -> [LineageArtifact] {
    try ask { database in
      try Row.fetchAll(
        database,
        sql: """
          SELECT repository, path, artifact.md5, sha256, size, max(started) AS newest FROM artifact
          JOIN run ON run.id = artifact.run WHERE \(condition)
          GROUP BY repository, path, artifact.md5, sha256 ORDER BY newest DESC, path
          """, arguments: StatementArguments(arguments)
      ).map { row in
        LineageArtifact(
          repository: row["repository"], path: row["path"], md5: row["md5"],
          sha256: (row["sha256"] as String?).flatMap { Digest32(hex: $0) },
          size: (row["size"] as Int64?).map { UInt64(bitPattern: $0) })
      }
    }
  }

  private func runs(_ sql: String, _ arguments: [(any DatabaseValueConvertible)?]) throws(Diagnostic) -> [RunID] {
    try ask { database in
      try String.fetchAll(database, sql: sql, arguments: StatementArguments(arguments)).compactMap { RunID(hex: $0) }
    }
  }

  func runs(startingWith prefix: String) throws(Diagnostic) -> [RunID] {
    // A range and not LIKE: it uses the index.
    try runs("SELECT hash FROM run WHERE hash >= ? AND hash < ? ORDER BY hash", [prefix, prefix + "g"])
  }

  func documents(ofSchema schema: String) throws(Diagnostic) -> [Digest32] {
    try ask { database in
      try String.fetchAll(database, sql: "SELECT hash FROM document WHERE schema = ? ORDER BY hash", arguments: [schema])
        .compactMap { Digest32(hex: $0) }
    }
  }

  /// All names of runs, for telling them apart by few digits.
  package func allRuns() throws(Diagnostic) -> [RunID] { try runs("SELECT hash FROM run ORDER BY hash", []) }

  func ask<Answer>(_ question: (Database) throws -> Answer) throws(Diagnostic) -> Answer {
    do {
      let database = database.withLock { $0 }
      do {
        return try database.read(question)
      } catch let error as DatabaseError where Self.isSpoilt(error) {
        // In pages that opening did not look at.
        try? database.close()
        Self.remove(path)
        let again = try Self.open(path, store)
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
