// The tables of the lineage index, and what a document puts into them. How it follows the store:
// `LineageIndex+CatchUp.swift`.
import CairnCore
import CairnFormats
import CairnSystem
import GRDB

extension LineageIndex {
  /// Raised whenever the tables, or what is put into them, change: an older file is then discarded.
  private static let version = 5

  /// A version of a path stands once, however many runs touched it: what is asked of it costs what the answer has.
  private static let tables = """
    CREATE TABLE document (hash TEXT PRIMARY KEY, schema TEXT) WITHOUT ROWID;
    CREATE TABLE bucket (
      folder TEXT NOT NULL, number INTEGER NOT NULL, stamp TEXT, seen INTEGER NOT NULL, settled INTEGER NOT NULL,
      PRIMARY KEY (folder, number)) WITHOUT ROWID;
    CREATE TABLE run (
      id INTEGER PRIMARY KEY, hash TEXT NOT NULL UNIQUE, stage TEXT NOT NULL, repository TEXT NOT NULL,
      result TEXT NOT NULL, started INTEGER NOT NULL, work TEXT NOT NULL, source TEXT, invocation TEXT NOT NULL,
      ours INTEGER NOT NULL, reconstructed INTEGER NOT NULL);
    CREATE INDEX run_by_start ON run (ours, started);
    CREATE INDEX run_by_stage ON run (stage, ours, started);
    CREATE INDEX run_by_work ON run (work);
    CREATE INDEX run_by_source ON run (source);
    CREATE TABLE version (
      id INTEGER PRIMARY KEY, repository TEXT, path TEXT NOT NULL, md5 TEXT, sha256 TEXT, size INTEGER,
      newest INTEGER NOT NULL);
    CREATE INDEX version_by_path ON version (path, md5);
    CREATE INDEX version_by_age ON version (path, newest);
    CREATE INDEX version_by_md5 ON version (md5);
    CREATE INDEX version_by_sha256 ON version (sha256);
    CREATE TABLE edge (
      version INTEGER NOT NULL REFERENCES version, direction INTEGER NOT NULL, started INTEGER NOT NULL,
      run INTEGER NOT NULL REFERENCES run, producer TEXT,
      PRIMARY KEY (version, direction, started, run)) WITHOUT ROWID;
    CREATE INDEX edge_by_run ON edge (run);
    CREATE TABLE reuse (
      run TEXT NOT NULL, state TEXT NOT NULL, times INTEGER NOT NULL, invocation TEXT NOT NULL, started INTEGER NOT NULL,
      actor TEXT NOT NULL, commit_name TEXT, PRIMARY KEY (run, state)) WITHOUT ROWID;
    """

  static func openFile(_ path: String) -> DatabaseQueue? {
    if let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) { try? Files.makeDirectories(String(path[..<slash])) }
    for _ in 0..<2 {
      if let database = try? DatabaseQueue(path: path, configuration: configuration), (try? prepare(database)) == true {
        return database
      }
      remove(path)
    }
    return nil
  }

  static func openMemory() throws -> DatabaseQueue {
    let database = try DatabaseQueue(configuration: configuration)
    _ = try prepare(database)
    return database
  }

  static func remove(_ path: String) {
    for suffix in ["", "-journal", "-wal", "-shm"] { _ = try? Files.remove(path + suffix) }
  }

  private static var configuration: Configuration {
    var configuration = Configuration()
    configuration.busyMode = .timeout(10)
    // One that is open from one question to the next: `hold`.
    configuration.allowsUnsafeTransactions = true
    configuration.prepareDatabase { database in
      // What a power cut spoils is made anew.
      try database.execute(sql: "PRAGMA synchronous = OFF")
      // KiB that it may take: names are hashes, so that a million edges come in no order.
      try database.execute(sql: "PRAGMA cache_size = -65536")
    }
    return configuration
  }

  /// False for a file of another version.
  private static func prepare(_ database: DatabaseQueue) throws -> Bool {
    func found(_ database: Database) throws -> Int { try Int.fetchOne(database, sql: "PRAGMA user_version") ?? 0 }
    // Whoever only asks does not wait for who writes.
    if try database.read(found) == version { return true }
    return try database.write { database in
      let found = try found(database)
      if found == version { return true }
      if found != 0 { return false }
      try database.execute(sql: tables)
      try database.execute(sql: "PRAGMA user_version = \(version)")
      return true
    }
  }

  static func forget(_ digest: Digest32, _ database: Database) throws {
    let run = try Int64.fetchOne(database, sql: "SELECT id FROM run WHERE hash = ?", arguments: [digest.hex])
    if let run {
      let versions = try Int64.fetchAll(database, sql: "SELECT version FROM edge WHERE run = ?", arguments: [run])
      try database.execute(sql: "DELETE FROM edge WHERE run = ?", arguments: [run])
      for version in Set(versions) {
        let newest = try Int64.fetchOne(
          database, sql: "SELECT max(started) FROM edge WHERE version = ?", arguments: [version])
        try database.execute(
          sql: newest == nil ? "DELETE FROM version WHERE id = ?2" : "UPDATE version SET newest = ?1 WHERE id = ?2",
          arguments: [newest, version])
      }
      try database.execute(sql: "DELETE FROM run WHERE id = ?", arguments: [run])
    }
    try database.execute(sql: "DELETE FROM document WHERE hash = ?", arguments: [digest.hex])
  }

  /// False for a document that could not be looked at: altered, unreadable, or nobody's for now. It may be mended.
  static func add(_ digest: Digest32, from store: RecordStore, _ database: Database) throws -> Bool {
    guard let bytes = (try? store.document(digest)) ?? nil, let schema = schema(of: bytes) else { return false }
    var isForeign = false
    var record: RunRecord?
    if schema == RecordJSON.runSchema {
      record = try? RecordJSON.decode(bytes)
      if let record {
        guard let known = store.isForeign(RunID(digest), record) else { return false }
        isForeign = known
      }
    }
    try database.cachedStatement(sql: "INSERT OR IGNORE INTO document VALUES (?, ?)")
      .execute(arguments: [digest.hex, schema])
    if database.changesCount == 0 { return true }
    if let record {
      try add(RunID(digest), record, isForeign: isForeign, database)
    } else if schema == RecordJSON.invocationSchema, let invocation = try? RecordJSON.decodeInvocation(bytes) {
      try add(invocation, database)
    }
    return true
  }

  private static func add(_ id: RunID, _ record: RunRecord, isForeign: Bool, _ database: Database) throws {
    try database.cachedStatement(
      sql: """
        INSERT OR IGNORE INTO run (hash, stage, repository, result, started, work, source, invocation, ours,
          reconstructed)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
        """
    ).execute(arguments: [
      id.hex, record.stage.address, record.source.repository ?? "", record.result.rawValue,
      record.execution.started, WorkKey(record).digest.hex, (record.restoredFrom ?? record.accepts)?.digest.hex,
      record.invocation, !isForeign, record.reconstructed != nil,
    ])
    if database.changesCount == 0 { return }
    var edges = Edges(
      run: database.lastInsertedRowID, started: record.execution.started,
      // Its name was made of the root commit, so that each clone makes the same: here it is what we call ours.
      repository: record.reconstructed != nil && !isForeign ? nil : record.source.repository ?? "")
    for input in record.inputs {
      try edges.add(0, input.path, input.md5, input.sha256, input.size, input.producer, database)
      // With what merely appeared in it while it was read it is known by both names.
      if let after = input.after, !input.appeared.isEmpty {
        try edges.add(0, input.path, after.md5, after.sha256, after.size, input.producer, database)
      }
      if let after = record.rewritten(input) {
        try edges.add(1, input.path, after.md5, after.sha256, after.size, nil, database)
      }
    }
    for output in record.outputs {
      try edges.add(1, output.path, output.md5, output.sha256, output.size, nil, database)
    }
  }

  private struct Edges {
    var run: Int64
    var started: Nanoseconds
    var repository: String?

    mutating func add(
      _ direction: Int, _ path: String, _ md5: String?, _ sha256: Digest32?, _ size: UInt64?, _ producer: RunID?,
      _ database: Database
    ) throws {
      let size = size.map { Int64(bitPattern: $0) }
      let known = try database.cachedStatement(
        sql: "SELECT id FROM version WHERE path = ? AND md5 IS ? AND sha256 IS ? AND repository IS ? AND size IS ?")
      var version = try Int64.fetchOne(known, arguments: [path, md5, sha256?.hex, repository, size])
      if let version {
        try database.cachedStatement(sql: "UPDATE version SET newest = ?1 WHERE id = ?2 AND newest < ?1")
          .execute(arguments: [started, version])
      } else {
        try database.cachedStatement(
          sql: "INSERT INTO version (repository, path, md5, sha256, size, newest) VALUES (?, ?, ?, ?, ?, ?)"
        ).execute(arguments: [repository, path, md5, sha256?.hex, size, started])
        version = database.lastInsertedRowID
      }
      try database.cachedStatement(sql: "INSERT OR IGNORE INTO edge VALUES (?, ?, ?, ?, ?)")
        .execute(arguments: [version, direction, started, run, producer?.digest.hex])
    }
  }

  /// What was used again without being run: how often, and the last time.
  private static func add(_ invocation: InvocationRecord, _ database: Database) throws {
    let insert = try database.cachedStatement(
      sql: """
        INSERT INTO reuse VALUES (?1, ?2, 1, ?3, ?4, ?5, ?6)
        ON CONFLICT DO UPDATE SET times = times + 1,
          invocation = iif(?4 > started, ?3, invocation), actor = iif(?4 > started, ?5, actor),
          commit_name = iif(?4 > started, ?6, commit_name), started = max(started, ?4)
        """)
    for stage in invocation.stages where stage.state == .fresh || stage.state == .unchanged {
      guard let run = stage.run else { continue }
      try insert.execute(arguments: [
        run.hex, stage.state.rawValue, invocation.invocation, invocation.started, invocation.actor.name,
        invocation.commit,
      ])
    }
  }

  /// The value of `schema` without reading the whole: canonical JSON has it once, at the top.
  static func schema(of bytes: [UInt8]) -> String? {
    let key = Array("\"schema\":\"cairn.".utf8)
    guard let start = bytes.firstRange(of: key)?.upperBound, let end = bytes[start...].firstIndex(of: 0x22)
    else { return nil }
    return "cairn." + String(decoding: bytes[start..<end], as: UTF8.self)
  }
}
