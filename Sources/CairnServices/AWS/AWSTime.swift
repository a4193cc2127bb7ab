// Times and hashes as requests to AWS carry them.
package import CairnCore
import CairnSystem
import Crypto

package enum AWSTime {
  /// `20260102T030405Z`.
  ///
  /// - Parameter offset: how much later the service's clock is, in nanoseconds.
  package static func now(offset: Nanoseconds = 0) -> String { text(WallClock.now() + offset) }

  package static func text(_ time: Nanoseconds) -> String {
    WallClock.text(time).prefix(19).filter { $0 != "-" && $0 != ":" } + "Z"
  }
}

package enum PayloadHash {
  /// In hexadecimal.
  package static func sha256(_ bytes: [UInt8]) -> String { Hex.encode(Array(SHA256.hash(data: bytes))) }
  package static func md5(_ bytes: [UInt8]) -> [UInt8] { Array(Insecure.MD5.hash(data: bytes)) }
}
