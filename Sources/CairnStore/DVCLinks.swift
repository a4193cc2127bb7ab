// DVC's own note of what it put into the workspace from its cache: an SQLite table outside of the repository. Reads
// it, and says what still lies there as DVC left it. Knows nothing of stages.
package import CairnCore
import CairnFormats
import CairnSystem
import GRDB

/// What cannot be read is an empty table: files stay behind.
package struct DVCLinks: Sendable {
  private let root: String
  private let temporary: String
  private let sites: String

  /// - Parameters:
  ///   - temporary: `.dvc/tmp`, in which DVC keeps the file that tells a repository from an older one at its place.
  ///   - sites: where DVC keeps what it can do without, `/var/tmp/dvc` as a rule.
  package init(root: String, temporary: String, sites: String) {
    self.root = root
    self.temporary = temporary
    self.sites = sites
  }

  /// Paths that DVC put there, and that nobody has touched since.
  package func untouched() -> [RepoPath] {
    guard let database = database(), Files.exists(database) else { return [] }
    // Nothing is written; but who may only read leaves files of SQLite's own behind.
    let rows = try? DatabaseQueue(path: database).read { database in
      // 4: a pickled value, as a pair is.
      try Row.fetchAll(database, sql: "SELECT key, lower(hex(value)) FROM Cache WHERE raw = 1 AND mode = 4")
    }
    return (rows ?? []).compactMap { row in
      guard let name: String = row[0], let value: String = row[1], let path = RepoPath(name) else { return nil }
      return isUntouched("\(root)/\(path.text)", value) ? path : nil
    }
  }

  /// `nil` where DVC never ran in this repository.
  private func database() -> String? {
    guard let born = try? FileStat.of("\(temporary)/btime")?.modified else { return nil }
    let parts = [
      PythonText.quoted(root), "None", PythonFloat.repr(Self.seconds(born)), PythonText.quoted(Machine.userName()),
      "3", "0",
    ]
    let token = ContentHasher.md5(of: Array("(\(parts.joined(separator: ", ")))".utf8))
    return "\(sites)/repo/\(token.hex)/links/cache.db"
  }

  private func isUntouched(_ path: String, _ noted: String) -> Bool {
    guard let entry = try? FileStat.of(path, followLinks: false), let found = try? FileStat.of(path) else {
      return false
    }
    let time: String
    if found.isDirectory {
      var times: [(path: String, modified: Nanoseconds)] = []
      guard (try? Self.collect(path, into: &times)) != nil else { return false }
      time = Self.token(of: times)
    } else {
      time = "\(Int64((Self.seconds(found.modified) * 1_000_000_000).rounded(.toNearestOrEven)))"
    }
    return noted == Self.hex(Self.pickled(entry.inode, time))
  }

  /// All files below a folder. A link to another folder is none of them, so that its holder counts as touched.
  private static func collect(
    _ folder: String, into times: inout [(path: String, modified: Nanoseconds)]
  ) throws(Diagnostic) {
    for entry in try Files.list(folder) ?? [] {
      let path = "\(folder)/\(entry.name)"
      if try FileStat.of(path, followLinks: false)?.isDirectory == true {
        try collect(path, into: &times)
      } else if let found = try FileStat.of(path) {
        times.append((path, found.modified))
      }
    }
  }

  /// What stands for a folder's time: a hash over those of its files, as JSON.
  private static func token(of times: [(path: String, modified: Nanoseconds)]) -> String {
    var json: [UInt8] = []
    for (path, modified) in times.sorted(by: { $0.path.precedesInBytes($1.path) }) {
      json += json.isEmpty ? "{".utf8 : ", ".utf8
      JSONWriter.append(path, to: &json)
      json += ": \(PythonFloat.repr(seconds(modified)))".utf8
    }
    return ContentHasher.md5(of: json.isEmpty ? Array("{}".utf8) : json + "}".utf8).hex
  }

  /// As Python has times: what a `Double` keeps of them.
  private static func seconds(_ time: Nanoseconds) -> Double {
    let (seconds, rest) = time.quotientAndRemainder(dividingBy: 1_000_000_000)
    return Double(seconds) + 1e-9 * Double(rest)
  }

  // MARK: - Pickles, protocol 4

  private static func pickled(_ inode: UInt64, _ time: String) -> [UInt8] {
    let (memoize, pair, stop): (UInt8, UInt8, UInt8) = (0x94, 0x86, 0x2E)
    let text = Array(time.utf8)
    let body = pickled(inode) + [0x8C, UInt8(text.count)] + text + [memoize, pair, memoize, stop]
    return [0x80, 4, 0x95] + bytes(UInt64(body.count), 8) + body
  }

  private static func pickled(_ number: UInt64) -> [UInt8] {
    switch number {
    case 0...0xFF: return [0x4B] + bytes(number, 1)
    case 0x100...0xFFFF: return [0x4D] + bytes(number, 2)
    case 0x1_0000...0x7FFF_FFFF: return [0x4A] + bytes(number, 4)
    default:
      // The highest bit is the sign.
      let count = (64 - number.leadingZeroBitCount) / 8 + 1
      return [0x8A, UInt8(count)] + (0..<count).map { $0 < 8 ? UInt8(truncatingIfNeeded: number >> UInt64($0 * 8)) : 0 }
    }
  }

  private static func hex(_ bytes: [UInt8]) -> String {
    let digits = Array("0123456789abcdef")
    return String(bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] })
  }

  private static func bytes(_ number: UInt64, _ count: Int) -> [UInt8] {
    (0..<count).map { UInt8(truncatingIfNeeded: number >> UInt64($0 * 8)) }
  }
}
