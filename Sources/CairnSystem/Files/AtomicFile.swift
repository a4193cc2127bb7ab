// Replaces a file's content as a whole: whoever reads sees the old bytes or the new ones. Knows nothing of what they mean.
import CSystem
package import CairnCore
import Glibc
import Synchronization

package enum AtomicFile {
  /// Writes a temporary file in the same folder and renames it onto `path`.
  ///
  /// `mode` is that of the new file, less the umask. With `sync` the bytes are on the disk before the name points to
  /// them, so that a power cut cannot leave an empty file. A link at `path` is replaced, not followed. On any error
  /// (a full disk above all) the old file is untouched and the temporary one gone.
  ///
  /// - Parameter folder: where the temporary file lies, on the same file system; `nil`: beside `path`.
  package static func write(
    _ bytes: [UInt8], to path: String, mode: UInt32 = 0o666, sync: Bool, by folder: String? = nil
  ) throws(Diagnostic) {
    try write(bytes, to: path, creation: mode, exact: nil, sync: sync, by: folder)
  }

  /// The same for a file of the user's: the permissions of the one that is there stay (`mode` is for a new one), and so
  /// does a link at `path`: the file that it leads to is replaced, or made (`followsLinks`).
  package static func writeKeepingMode(
    _ bytes: [UInt8], to path: String, mode: UInt32 = 0o666, sync: Bool, followsLinks: Bool = true
  ) throws(Diagnostic) {
    let existing = try FileStat.of(path)
    try write(bytes, to: followsLinks ? target(of: path) : path, creation: mode, exact: existing?.mode, sync: sync)
  }

  /// Writes only when the bytes differ from those that are there, so that an unchanged file keeps its time stamps.
  /// True when it wrote.
  @discardableResult
  package static func writeIfChanged(
    _ bytes: [UInt8], to path: String, mode: UInt32 = 0o666, sync: Bool
  ) throws(Diagnostic) -> Bool {
    if let existing = try Files.read(path), existing == bytes { return false }
    try writeKeepingMode(bytes, to: path, mode: mode, sync: sync)
    return true
  }

  /// Where the links at `path` lead.
  private static func target(of path: String) throws(Diagnostic) -> String {
    var path = path
    // Circles have been refused by `stat`.
    while let link = try Files.readLink(path) {
      let folder = path.utf8.lastIndex(of: UInt8(ascii: "/")).map { String(path[...$0]) } ?? ""
      path = link.utf8.first == UInt8(ascii: "/") ? link : folder + link
    }
    return path
  }

  private static func write(
    _ bytes: [UInt8], to path: String, creation: UInt32, exact: UInt32?, sync: Bool, by folder: String? = nil
  ) throws(Diagnostic) {
    let temporary = folder.map(temporaryName(in:)) ?? temporaryName(beside: path)
    let descriptor = temporary.asSystemPath { cairn_open($0, O_WRONLY | O_CREAT | O_EXCL, creation) }
    if descriptor < 0 { throw Diagnostic.system(-descriptor, "write it", path) }
    var result = cairn_write_all(descriptor, bytes, bytes.count)
    if result >= 0, let exact { result = restarting(fchmod(descriptor, exact)) }
    if result >= 0, sync { result = restarting(fdatasync(descriptor)) }
    // Quotas and network file systems tell of a failed write only here; the descriptor is gone even then.
    if close(descriptor) < 0, result >= 0, errno != EINTR { result = -errno }
    if result >= 0 {
      result = temporary.asSystemPath { from in path.asSystemPath { to in restarting(rename(from, to)) } }
    }
    if result < 0 {
      _ = temporary.asSystemPath { unlink($0) }
      throw Diagnostic.system(-result, "write it", path)
    }
  }

  /// A name in `path`'s folder that nothing else uses: hidden, and recognisable by `isTemporaryName`.
  package static func temporaryName(beside path: String) -> String {
    guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) else { return temporaryName() }
    return String(path[...slash]) + temporaryName()
  }

  /// The same for a folder that is named itself.
  package static func temporaryName(in folder: String) -> String { folder + "/" + temporaryName() }

  private static func temporaryName() -> String { "\(temporaryPrefix)\(process)-\(uniqueWord()).tmp" }

  /// Letters, digits and a hyphen, as no other call gives them, in this process or another.
  package static func uniqueWord() -> String {
    salt + String(temporaryCount.add(1, ordering: .relaxed).newValue, radix: 36)
  }

  private static let process = getpid()
  /// Random, since the numbers of processes of other hosts and containers repeat.
  private static let salt = String(Identifier.random64(), radix: 36) + "-"
  private static let temporaryCount = Atomic<UInt64>(0)

  /// Temporary files that a killed process left begin so.
  package static let temporaryPrefix = ".cairn-"

  /// Who made the temporary file `name`: a process of the host that it was made on.
  package static func maker(ofTemporary name: String) -> Int32? {
    guard isTemporaryName(name) else { return nil }
    return name.dropFirst(temporaryPrefix.count).split(separator: "-").first.flatMap { Int32($0) }
  }

  /// Paths of temporary files in the folder whose makers live no more; none on a network file system, where a process may
  /// be another host's.
  package static func leftByTheDead(in folder: String) -> [String] {
    let names = (((try? Files.list(folder)) ?? nil) ?? []).map(\.name).filter { name in
      maker(ofTemporary: name).map { !ProcessIdentity.exists($0) } ?? false
    }
    return names.isEmpty || Machine.isNetworkFileSystem(folder) ? [] : names.map { folder + "/" + $0 }
  }

  package static func isTemporaryName(_ name: String) -> Bool {
    name.utf8.starts(with: temporaryPrefix.utf8) && name.utf8.reversed().starts(with: ".tmp".utf8.reversed())
  }
}
