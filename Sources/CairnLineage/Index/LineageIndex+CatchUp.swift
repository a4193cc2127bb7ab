// How the lineage index follows the store: it lists the folders that have changed since, and reads what it lacks.
// Correct whoever writes there, be it another clone through a shared cache, or a fetch.
import CairnCore
import CairnFormats
import CairnSystem
import GRDB

extension LineageIndex {
  /// A folder whose stamp is this young may change again within the clock's granularity.
  private static let grain: Nanoseconds = 2_000_000_000

  /// One folder of a store as it is now, and what was known of it.
  private struct Bucket {
    var folder: String
    var number: UInt8
    /// `nil`: there is no such folder.
    var stamp: String?
    /// By our clock, when the stamp was first seen.
    var seen: Nanoseconds
    /// It was listed so long after it had this stamp that whatever comes now gives it another.
    var isSettled = false

    var place: Place { Place(folder: folder, number: number) }
  }

  /// Reads the documents that the index has not seen. 512 looks at folders where there are none.
  static func catchUp(_ database: DatabaseQueue, with store: RecordStore) throws {
    let now = WallClock.now()
    let known = try database.read { database in
      Dictionary(
        try Row.fetchAll(database, sql: "SELECT folder, number, stamp, seen, settled FROM bucket").map { row in
          (Place(folder: row["folder"], number: row["number"]),
            Bucket(
              folder: row["folder"], number: row["number"], stamp: row["stamp"], seen: row["seen"],
              isSettled: row["settled"]))
        }, uniquingKeysWith: { $1 })
    }
    var numbers: Set<UInt8> = []
    var buckets: [Bucket] = []
    let folders = store.stamps()
    // A store that shared a cache, and does so no more, has lost what lay there.
    let left = Set(known.keys.map(\.folder)).subtracting(folders.map(\.folder))
    for (folder, stamps) in folders {
      let hasOurClock = !Machine.isNetworkFileSystem(folder)
      for number in UInt8.min...UInt8.max {
        let stamp = stamps[Int(number)]
        let before = known[Place(folder: folder, number: number)]
        var bucket = Bucket(folder: folder, number: number, stamp: stamp?.text, seen: now)
        if let before, before.stamp == bucket.stamp {
          if before.isSettled, left.isEmpty { continue }
          if before.seen <= now { bucket.seen = before.seen }
        }
        // Another machine's clock is asked by waiting: an unchanged stamp that was seen a while ago is old by any clock.
        bucket.isSettled =
          stamp.map { hasOurClock ? $0.changed + grain < now : bucket.seen + grain < now } ?? true
        numbers.insert(number)
        buckets.append(bucket)
      }
    }
    if numbers.isEmpty { return }
    let changes = try numbers.sorted().map { number in try Changes(number, in: database, store) }
    let isNew = known.isEmpty
    if changes.allSatisfy(\.isEmpty), !isNew, left.isEmpty, !buckets.contains(where: { $0.isSettled || known[$0.place]?.stamp != $0.stamp }) {
      return
    }
    try database.write { database in
      var unread: Set<UInt8> = []
      // What an invocation told of cannot be taken back one by one.
      if try changes.contains(where: { try $0.hasInvocation(database) }) {
        for table in ["edge", "version", "run", "reuse", "document"] { try database.execute(sql: "DELETE FROM \(table)") }
        for digest in try store.documents() where try !add(digest, from: store, database) {
          unread.insert(UInt8(truncatingIfNeeded: digest.high.high >> 56))
        }
      } else {
        for change in changes {
          for digest in change.gone { try forget(digest, database) }
          for digest in change.fresh where try !add(digest, from: store, database) { unread.insert(change.number) }
        }
      }
      for folder in left { try database.execute(sql: "DELETE FROM bucket WHERE folder = ?", arguments: [folder]) }
      let insert = try database.cachedStatement(sql: "INSERT OR REPLACE INTO bucket VALUES (?, ?, ?, ?, ?)")
      for bucket in buckets {
        // What could not be read is looked at again the next time.
        try insert.execute(arguments: [
          bucket.folder, bucket.number, bucket.stamp, bucket.seen, bucket.isSettled && !unread.contains(bucket.number),
        ])
      }
    }
  }

  private struct Place: Hashable {
    var folder: String
    var number: UInt8
  }

  /// What a bucket has that the index lacks, and the reverse.
  private struct Changes {
    let number: UInt8
    let fresh: [Digest32]
    let gone: [Digest32]
    var isEmpty: Bool { fresh.isEmpty && gone.isEmpty }

    init(_ number: UInt8, in database: DatabaseQueue, _ store: RecordStore) throws {
      self.number = number
      let here = try store.documents(inBucket: number)
      let first = Hex.encode(CollectionOfOne(number))
      let known = try database.read { database in
        // "g" comes after every digit.
        Set(
          try String.fetchAll(
            database, sql: "SELECT hash FROM document WHERE hash >= ? AND hash < ?", arguments: [first, first + "g"]
          ).compactMap { Digest32(hex: $0) })
      }
      fresh = here.subtracting(known).sorted()
      gone = known.subtracting(here).sorted()
    }

    func hasInvocation(_ database: Database) throws -> Bool {
      try gone.contains { digest in
        try String.fetchOne(database, sql: "SELECT schema FROM document WHERE hash = ?", arguments: [digest.hex])
          == RecordJSON.invocationSchema
      }
    }
  }
}
