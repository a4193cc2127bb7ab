// The invocations that no other invocation follows yet: what the next one names as `previous`.
// Knows a folder of empty files; knows nothing of what an invocation is.
package import CairnCore
import CairnSystem

/// One empty file for each head, named by the hash, in `heads/` of the store.
///
/// Two processes that write at once each add their own and take away what they followed, so both stay heads, as two
/// branches do: no lock is needed. A crash between the two steps leaves an ancestor among the heads, which is harmless.
struct Heads {
  let folder: String
  init(in store: String) { folder = store + "/heads" }

  var all: [Digest32] {
    let entries = (try? Files.list(folder)) ?? nil
    return (entries ?? []).compactMap { Digest32(hex: $0.name) }
  }

  func advance(to head: Digest32, from previous: [Digest32]) throws(Diagnostic) {
    try Files.makeDirectories(folder)
    try Files.write([], to: folder + "/" + head.hex)
    for digest in previous where digest != head { try Files.remove(folder + "/" + digest.hex) }
  }
}

extension RecordStore {
  /// What an invocation written now has as `previous`, sorted.
  package func heads() -> [Digest32] {
    var heads = Set(Heads(in: folder).all)
    if let sharedFolder { heads.formUnion(Heads(in: sharedFolder).all) }
    return heads.sorted()
  }
}
