// DVC's words for objects that neither the cache nor the remote has.
import CairnCore

enum MissingObjects {
  /// - Parameter lines: one for each object, as `text` or with a name before it.
  static func words(_ lines: [String]) -> String {
    "Some of the cache files do not exist neither locally nor on remote. Missing cache files:\n"
      + lines.joined(separator: "\n")
  }

  static func text(_ hash: ContentHash) -> String {
    "\(hash.algorithm == .md5 ? "md5" : "md5-dos2unix"): \(hash.text)"
  }
}
