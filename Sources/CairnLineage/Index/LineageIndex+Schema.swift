// The tables of the lineage index, and how they follow the store.
import CairnCore
import CairnFormats
import CairnSystem
import GRDB

extension LineageIndex {
  /// Raised whenever the tables, or what is put into them, change: an older file is then discarded.
  private static let version = 4

  private static let tables = """
    CREATE TABLE document (hash TEXT PRIMARY KEY, schema TEXT) WITHOUT ROWID;
    CREATE TABLE run (
      id INTEGER PRIMARY KEY, hash TEXT NOT NULL UNIQUE, stage TEXT NOT NULL, repository TEXT NOT NULL,
      result TEXT NOT NULL, started INTEGER NOT NULL, work TEXT NOT NULL, source TEXT, invocation TEXT NOT NULL,
      ours INTEGER NOT NULL, reconstructed INTEGER NOT NULL);
    CREATE INDEX run_by_start ON run (started);
    CREATE INDEX run_by_stage ON run (stage, started);
    CREATE INDEX run_by_work ON run (work);
    CREATE INDEX run_by_source ON run (source);
    CREATE TABLE artifact (
      run INTEGER NOT NULL REFERENCES run, direction INTEGER NOT NULL, path TEXT NOT NULL, md5 TEXT, sha256 TEXT,
      size INTEGER, producer TEXT);
    CREATE INDEX artifact_by_run ON artifact (run);
    CREATE INDEX artifact_by_path ON artifact (path, md5);
    CREATE INDEX artifact_by_md5 ON artifact (md5);
    CREATE INDEX artifact_by_sha256 ON artifact (sha256);
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
    // What a power cut spoils is made anew.
    configuration.prepareDatabase { try $0.execute(sql: "PRAGMA synchronous = OFF") }
    return configuration
  }

  /// False for a file of another version.
  private static func prepare(_ database: DatabaseQueue) throws -> Bool {
    try database.write { database in
      let found = try Int.fetchOne(database, sql: "PRAGMA user_version") ?? 0
      if found == version { return true }
      if found != 0 { return false }
      try database.execute(sql: tables)
      try database.execute(sql: "PRAGMA user_version = \(version)")
      return true
    }
  }

  /// Reads the documents that the index has not seen.
  static func catchUp(_ database: DatabaseQueue, with store: RecordStore) throws {
    let documents = try store.documents()
    let known = try database.read { database in
      Set(try String.fetchAll(database, sql: "SELECT hash FROM document").compactMap { Digest32(hex: $0) })
    }
    let fresh = documents.filter { !known.contains($0) }
    let gone = known.subtracting(documents)
    if fresh.isEmpty, gone.isEmpty { return }
    try database.write { database in
      for digest in gone { try forget(digest, database) }
      for digest in fresh { try add(digest, from: store, database) }
    }
  }

  private static func forget(_ digest: Digest32, _ database: Database) throws {
    let arguments: StatementArguments = [digest.hex]
    try database.execute(
      sql: "DELETE FROM artifact WHERE run IN (SELECT id FROM run WHERE hash = ?)", arguments: arguments)
    try database.execute(sql: "DELETE FROM run WHERE hash = ?", arguments: arguments)
    try database.execute(sql: "DELETE FROM document WHERE hash = ?", arguments: arguments)
  }

  private static func add(_ digest: Digest32, from store: RecordStore, _ database: Database) throws {
    // An altered or unreadable record is not indexed, and looked at again next time: it may be mended.
    guard let bytes = (try? store.document(digest)) ?? nil, let schema = schema(of: bytes) else { return }
    let record = schema == RecordJSON.runSchema ? try? RecordJSON.decode(bytes) : nil
    var isForeign = false
    if let record {
      // Nor is one of which it cannot be known now whose it is.
      guard let known = store.isForeign(RunID(digest), record) else { return }
      isForeign = known
    }
    try database.cachedStatement(sql: "INSERT OR IGNORE INTO document VALUES (?, ?)")
      .execute(arguments: [digest.hex, schema])
    guard let record else { return }
    try database.cachedStatement(
      sql: """
        INSERT OR IGNORE INTO run (hash, stage, repository, result, started, work, source, invocation, ours,
          reconstructed)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
        """
    ).execute(arguments: [
      digest.hex, record.stage.address, record.source.repository ?? "", record.result.rawValue,
      record.execution.started, WorkKey(record).digest.hex, (record.restoredFrom ?? record.accepts)?.digest.hex,
      record.invocation, !isForeign, record.reconstructed != nil,
    ])
    if database.changesCount == 0 { return }
    let run = database.lastInsertedRowID
    let insert = try database.cachedStatement(sql: "INSERT INTO artifact VALUES (?, ?, ?, ?, ?, ?, ?)")
    for input in record.inputs {
      try insert.execute(arguments: [
        run, 0, input.path, input.md5, input.sha256?.hex, input.size.map { Int64(bitPattern: $0) },
        input.producer?.digest.hex,
      ])
      // With what merely appeared in it while it was read it is known by both names.
      guard let after = input.after, !input.appeared.isEmpty else { continue }
      try insert.execute(arguments: [
        run, 0, input.path, after.md5, after.sha256?.hex, Int64(bitPattern: after.size), input.producer?.digest.hex,
      ])
    }
    for output in record.outputs {
      try insert.execute(arguments: [
        run, 1, output.path, output.md5, output.sha256?.hex, output.size.map { Int64(bitPattern: $0) }, nil,
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
