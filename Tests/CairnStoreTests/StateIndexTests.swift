import CairnCore
import CairnStore
import Foundation
import Testing

@Suite struct StateIndexTests {
  private let second: Nanoseconds = 1_000_000_000
  private let md5 = Digests(md5: Digest16(high: 1, low: 2))
  private let both = Digests(
    md5: Digest16(high: 1, low: 2), sha256: Digest32(bytes: (0..<32).map { UInt8($0) }))

  private func fingerprint(modified: Nanoseconds, size: UInt64 = 3, inode: UInt64 = 7) -> FileFingerprint {
    FileFingerprint(size: size, modified: modified, inode: inode, device: 9)
  }

  @Test("what is remembered is known to the next process")
  func remembers() throws {
    let scratch = try Scratch()
    let old = fingerprint(modified: 100 * second + 1)
    let first = scratch.index()
    first.remember("a/é", old, both, observed: 200 * second)
    first.flush()
    let next = scratch.index()
    #expect(next.digests("a/é", old, [.md5, .sha256]) == both)
    #expect(next.digests("a/e", old, .md5) == nil)
    #expect(next.digests("a/é", old, .md5Dos2unix) == nil)
  }

  @Test("any change of the fingerprint makes it unknown")
  func fingerprintCounts() throws {
    let index = try Scratch().index()
    let old = fingerprint(modified: 100 * second + 1)
    index.remember("a", old, md5, observed: 200 * second)
    #expect(index.digests("a", fingerprint(modified: 100 * second + 2), .md5) == nil)
    #expect(index.digests("a", fingerprint(modified: 100 * second + 1, size: 4), .md5) == nil)
    #expect(index.digests("a", fingerprint(modified: 100 * second + 1, inode: 8), .md5) == nil)
    #expect(index.digests("a", old, .md5) == md5)
  }

  @Test("a stamp too near to the observation, or after it, is racy", arguments: [
    (100_000_000_001 as Int64, 100_010_000_000 as Int64, false), (100_000_000_001, 100_030_000_000, true),
    (100_000_000_001, 99_000_000_000, false), (100_000_000_000, 101_000_000_000, false),
    (100_000_000_000, 103_000_000_000, true),
  ])
  func racy(modified: Int64, observed: Int64, isTrusted: Bool) throws {
    let index = try Scratch().index()
    let print = fingerprint(modified: modified)
    index.remember("a", print, md5, observed: observed)
    #expect((index.digests("a", print, .md5) != nil) == isTrusted)
  }

  @Test("a file that was changed since it was looked at is not known, though its time is the old one")
  func changed() throws {
    let index = try Scratch().index()
    var print = fingerprint(modified: 100 * second + 1)
    print.changed = 150 * second
    index.remember("a", print, md5, observed: 200 * second)
    #expect(index.digests("a", print, .md5) == md5)
    print.changed = 250 * second
    #expect(index.digests("a", print, .md5) == nil)
    // Looked at again, it is known.
    index.remember("a", print, md5, observed: 300 * second)
    #expect(index.digests("a", print, .md5) == md5)
  }

  @Test("a racy entry is trusted once it was verified later")
  func racyThenVerified() throws {
    let scratch = try Scratch()
    let print = fingerprint(modified: 100 * second + 1)
    let index = scratch.index()
    index.remember("a", print, Digests(md5: Digest16(high: 5, low: 5)), observed: 100 * second + 2)
    index.remember("a", print, md5, observed: 101 * second)
    index.flush()
    #expect(scratch.index().digests("a", print, .md5) == md5)
  }

  @Test("on a network file system two seconds must lie between")
  func network() throws {
    let index = try Scratch().index(network: true)
    let print = fingerprint(modified: 100 * second + 1)
    index.remember("a", print, md5, observed: 101 * second)
    #expect(index.digests("a", print, .md5) == nil)
    index.remember("a", print, md5, observed: 103 * second)
    #expect(index.digests("a", print, .md5) == md5)
  }

  @Test("digests of the same content add up")
  func merges() throws {
    let index = try Scratch().index()
    let print = fingerprint(modified: 100 * second + 1)
    index.remember("a", print, both, observed: 200 * second)
    index.remember("a", print, Digests(md5Dos2unix: Digest16(high: 3, low: 3)), observed: 300 * second)
    #expect(index.digests("a", print, [.md5, .md5Dos2unix, .sha256])?.md5Dos2unix == Digest16(high: 3, low: 3))
  }

  @Test("a damaged file costs only what is damaged", arguments: [
    "truncate -s -1 .cairn/state", "truncate -s 130 .cairn/state", "truncate -s 0 .cairn/state",
    "printf x | dd of=.cairn/state bs=1 seek=300 conv=notrunc 2>/dev/null",
    "printf x | dd of=.cairn/state bs=1 seek=3 conv=notrunc 2>/dev/null", "rm .cairn/state",
    "seq 1 1000 > .cairn/state", "printf abc >> .cairn/state",
  ])
  func damage(script: String) throws {
    let scratch = try Scratch()
    let index = scratch.index()
    for number in 0..<4 {
      index.remember("f\(number)", fingerprint(modified: 100 * second + 1), md5, observed: 200 * second)
    }
    index.flush()
    try scratch.sh(script)
    let damaged = scratch.index()
    #expect(damaged.count <= 4)
    for number in 0..<4 {
      let known = damaged.digests("f\(number)", fingerprint(modified: 100 * second + 1), .md5)
      #expect(known == nil || known == md5)
    }
    damaged.remember("new", fingerprint(modified: 5), both, observed: 200 * second)
    damaged.flush()
    #expect(scratch.index().digests("new", fingerprint(modified: 5), .sha256) == both)
  }

  @Test("two processes that append lose nothing of each other")
  func twoWriters() throws {
    let scratch = try Scratch()
    let a = scratch.index()
    let b = scratch.index()
    let print = fingerprint(modified: 5)
    a.remember("a", print, md5, observed: 200 * second)
    b.remember("b", print, both, observed: 200 * second)
    a.flush()
    b.flush()
    let after = scratch.index()
    #expect(after.digests("a", print, .md5) == md5)
    #expect(after.digests("b", print, .md5) == both)
  }

  @Test("a file of superseded records is rewritten, and an old writer finds the new file")
  func compaction() throws {
    let scratch = try Scratch()
    let late = scratch.index()
    let index = scratch.index()
    _ = late.count
    for round in 0..<6000 {
      index.remember("a", fingerprint(modified: Int64(round)), md5, observed: 200 * second)
      index.flush()
    }
    let size = try FileManager.default.attributesOfItem(atPath: scratch.indexPath)[.size] as? Int ?? 0
    #expect(size < 128 * 5000)
    late.remember("late", fingerprint(modified: 5), both, observed: 200 * second)
    late.flush()
    #expect(scratch.index().digests("late", fingerprint(modified: 5), .md5) == both)
    #expect(scratch.index().digests("a", fingerprint(modified: 5999), .md5) == md5)
  }

  @Test("an index that cannot be written is silently not written")
  func readOnly() throws {
    let index = StateIndex(path: "/proc/nowhere/state", isNetworkFileSystem: false)
    index.remember("a", fingerprint(modified: 5), md5, observed: 200 * second)
    index.flush()
    #expect(index.digests("a", fingerprint(modified: 5), .md5) == md5)
  }
}
