// Hashes of a file's parts and of the whole, from two threads, held against one that takes the bytes as they are.
import CairnCore
@testable import CairnServices
import CairnStore
import CairnSystem
import CairnTestSupport
import Testing

struct S3UploadHashesTests {
  @Test(
    "the whole and each part, where a part ends with a reading, within one, or with the file",
    arguments: [(5 << 20, 1), (16 << 20, 16), (40 << 20, 7), ((33 << 20) + 17, 32), ((18 << 20) - 1, 6)])
  func hashes(count: Int, mebibytes: Int) throws {
    let folder = try TemporaryFolder()
    var state: UInt64 = 88_172_645_463_325_252
    let words = (0..<count / 8 + 1).map { _ -> UInt64 in
      state ^= state << 13
      state ^= state >> 7
      state ^= state << 17
      return state
    }
    let bytes = words.withUnsafeBytes { Array($0.prefix(count)) }
    try Files.write(bytes, to: folder("f"))
    let size = mebibytes << 20
    let found = try S3UploadHashes(
      folder("f"), UInt64(count), partSize: UInt64(size), whole: .md5Dos2unix, parts: [.md5, .sha256])
    #expect(found.whole == ContentHasher.digests(of: bytes, .md5Dos2unix))
    let parts = stride(from: 0, to: count, by: size).map { Array(bytes[$0..<min($0 + size, count)]) }
    #expect(found.parts.map(\.md5) == parts.map { ContentHasher.md5(of: $0).bytes })
    #expect(found.parts.map(\.sha256) == parts.map { ContentHasher.sha256(of: $0).hex })
  }

  @Test("a file of another size is refused")
  func changed() throws {
    let folder = try TemporaryFolder()
    try Files.write([1, 2, 3], to: folder("f"))
    #expect(throws: Diagnostic.self) {
      try S3UploadHashes(folder("f"), 4, partSize: 1 << 20, whole: .md5, parts: .md5)
    }
  }
}
