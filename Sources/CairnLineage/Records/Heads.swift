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
    try remove(previous.filter { $0 != head })
  }

  func remove(_ followed: some Sequence<Digest32>) throws(Diagnostic) {
    for digest in followed { try Files.remove(folder + "/" + digest.hex) }
  }
}

extension RecordStore {
  /// What an invocation written now has as `previous`, sorted.
  package func heads() -> [Digest32] {
    var heads = Set(Heads(in: folder).all)
    if let sharedFolder { heads.formUnion(Heads(in: sharedFolder).all) }
    return heads.sorted()
  }

  /// The newest invocations of this repository, on each branch of the story: the heads, and behind those of other
  /// repositories that share the cache the nearest of ours.
  ///
  /// Throws `record-altered` and `record-unreadable` as reading them does.
  package func newestInvocations() throws(Diagnostic) -> [InvocationRecord] {
    var found: [InvocationRecord] = []
    var seen: Set<Digest32> = []
    var next = heads()
    while let digest = next.popLast() {
      guard seen.insert(digest).inserted, seen.count <= Self.invocationLimit,
        let invocation = try invocation(digest)
      else { continue }
      if isForeign(digest, invocation) { next += invocation.previous } else { found.append(invocation) }
    }
    return found
  }

  /// So many are looked through behind those of others.
  private static let invocationLimit = 1000

  /// An invocation names no repository: its runs do.
  private func isForeign(_ digest: Digest32, _ invocation: InvocationRecord) -> Bool {
    if isOwn(RunID(digest)) { return false }
    let first = invocation.stages.lazy.compactMap(\.run).compactMap { run in
      ((try? self.record(run)) ?? nil).map { (run, $0) }
    }.first
    return first.flatMap { isForeign($0.0, $0.1) } ?? false
  }
}
