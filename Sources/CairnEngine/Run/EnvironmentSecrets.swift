// Keys a stage by a secret's value without writing it anywhere.
import CairnCore
import CairnStore
import CairnSystem

/// HMAC-SHA-256 under a random key of this repository's store (`.cairn/secret.key`, mode 0600, made on first use).
/// Without that file nobody can try values against a record.
struct EnvironmentSecrets: Sendable {
  let folder: String
  /// Whether a key may be made where there is none.
  let makesKey: Bool

  /// `hmac-sha256:HEX`; `nil` when the key can be neither read nor made: the value is then unknown.
  func seal(_ value: String) -> String? {
    guard let key = key() else { return nil }
    func pad(_ byte: UInt8) -> [UInt8] {
      (key + [UInt8](repeating: 0, count: 64 - key.count)).map { $0 ^ byte }
    }
    let inner = ContentHasher.sha256(of: pad(0x36) + FileName.bytes(value))
    return "hmac-sha256:" + ContentHasher.sha256(of: pad(0x5C) + inner.bytes).hex
  }

  private func key() -> [UInt8]? {
    let path = folder + "/secret.key"
    if let bytes = (try? Files.read(path)) ?? nil, bytes.count == 32 { return bytes }
    guard makesKey else { return nil }
    var bytes = [UInt8](repeating: 0, count: 32)
    Identifier.fill(&bytes)
    do throws(Diagnostic) {
      try AtomicFile.write(bytes, to: path, mode: 0o600, sync: true)
      return bytes
    } catch {
      return nil
    }
  }
}
