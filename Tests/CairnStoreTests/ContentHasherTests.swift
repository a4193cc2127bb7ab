import CairnCore
import CairnStore
import Testing

@Suite struct ContentHasherTests {
  @Test("MD5 and SHA-256 come from one pass", arguments: [
    ("", "d41d8cd98f00b204e9800998ecf8427e", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
    ("abc", "900150983cd24fb0d6963f7d28e17f72", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
  ])
  func knownDigests(text: String, md5: String, sha256: String) {
    let digests = ContentHasher.digests(of: Array(text.utf8), [.md5, .sha256])
    #expect(digests.md5?.hex == md5)
    #expect(digests.sha256?.hex == sha256)
    #expect(digests.md5Dos2unix == nil)
  }

  @Test("a file of several pieces has the digests of md5sum and sha256sum")
  func largeFile() throws {
    let scratch = try Scratch()
    try scratch.sh("seq 1 700000 > big")
    let digests = try #require(try ContentHasher.digests(ofFile: scratch.path("big"), [.md5, .sha256]))
    #expect(try scratch.sh("md5sum < big").hasPrefix(digests.md5?.hex ?? "-"))
    #expect(try scratch.sh("sha256sum < big").hasPrefix(digests.sha256?.hex ?? "-"))
  }

  @Test("DVC 2's MD5 unifies line ends of text and leaves binary alone", arguments: [
    ("a\r\nb\r\n", "a\nb\n"), ("a\rb", "a\rb"), ("\0\r\n", "\0\r\n"), ("\r\r\n", "\r\n"), ("", ""),
    ("\u{1}\u{2}\u{3}\u{4}\r\n", "\u{1}\u{2}\u{3}\u{4}\r\n"), ("\u{1}abc\r\n", "\u{1}abc\n"),
  ])
  func dos2unix(text: String, same: String) {
    let legacy = ContentHasher.digests(of: Array(text.utf8), .md5Dos2unix)
    #expect(legacy.md5Dos2unix == ContentHasher.md5(of: Array(same.utf8)))
  }

  @Test("a line end that two pieces of 1 MiB share is not unified, as with DVC")
  func lineEndAcrossPieces() {
    let bytes = [UInt8](repeating: 0x61, count: (1 << 20) - 1) + Array("\r\nx".utf8)
    #expect(ContentHasher.digests(of: bytes, .md5Dos2unix).md5Dos2unix == ContentHasher.md5(of: bytes))
  }

  @Test("at most 30 % odd bytes are text, and no NUL", arguments: [
    ("aaaaaaa\u{1}\u{1}\u{1}", true), ("aaaaaa\u{1}\u{1}\u{1}\u{1}", false), ("a\0", false), ("", true), ("é", false),
  ])
  func text(block: String, isText: Bool) {
    #expect(Array(block.utf8).withUnsafeBytes { ContentHasher.isText($0) } == isText)
  }

  @Test("a file that is not there has no digests")
  func missing() throws {
    #expect(try ContentHasher.digests(ofFile: "/nonexistent/file", .md5) == nil)
  }
}
