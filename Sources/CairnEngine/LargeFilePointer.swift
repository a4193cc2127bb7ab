// What Git LFS keeps in git in place of a file, and the file itself where this clone has it. Starts no program.
import CairnCore
import CairnStore
import CairnSystem

/// - Source: the pointer format of Git LFS, version 1: lines of a key, a space and a value; `oid sha256:HEX`, `size N`.
struct LargeFilePointer {
  let sha256: Digest32
  let size: Int

  /// `nil` for anything that is no pointer.
  init?(_ bytes: [UInt8]) {
    guard CheckoutConversion.isPointer(bytes) else { return nil }
    var digest: Digest32?
    var size: Int?
    for line in String(decoding: bytes, as: UTF8.self).split(separator: "\n") {
      let parts = line.split(separator: " ", maxSplits: 1)
      guard parts.count == 2 else { continue }
      if parts[0] == "oid", parts[1].hasPrefix("sha256:") { digest = Digest32(hex: parts[1].dropFirst(7)) }
      if parts[0] == "size" { size = Int(parts[1]) }
    }
    guard let digest, let size, size >= 0 else { return nil }
    sha256 = digest
    self.size = size
  }

  /// The content, proved by its hash; `nil` where it is not here.
  ///
  /// - Parameter folder: git's, which all work trees share.
  func content(in folder: String, limit: Int) -> [UInt8]? {
    guard size <= limit else { return nil }
    let hex = sha256.hex
    let path = folder + "/lfs/objects/\(hex.prefix(2))/\(hex.dropFirst(2).prefix(2))/\(hex)"
    guard let bytes = (try? Files.read(plain: path, limit: limit)) ?? nil, ContentHasher.sha256(of: bytes) == sha256
    else {
      return nil
    }
    return bytes
  }
}
