import CairnCore
import Testing

struct DirectoryManifestTests {
  @Test("a file is found by its path, and what lies in a folder by its own, not by names that begin alike")
  func parts() {
    let names = ["a", "a-b/1", "a/1", "a/2", "a/é/3", "a0", "b", "é/x"]
    let manifest = DirectoryManifest(
      names.reversed().map { .init(path: $0, md5: Digest16(high: UInt64(names.firstIndex(of: $0) ?? 0), low: 0)) })
    for (number, name) in names.enumerated() { #expect(manifest.entry(at: name)?.md5.high == UInt64(number)) }
    for name in ["", "a/", "a/3", "c", "0", "ü"] { #expect(manifest.entry(at: name) == nil, "\(name)") }
    #expect(manifest.entries(below: "a").map(\.path) == ["a/1", "a/2", "a/é/3"])
    #expect(manifest.entries(below: "a/é").map(\.path) == ["a/é/3"])
    #expect(manifest.entries(below: "é").map(\.path) == ["é/x"])
    for name in ["b", "0", "z", "a/1"] { #expect(manifest.entries(below: name).isEmpty, "\(name)") }
    #expect(manifest.digests[RepoPath(unchecked: "a/2")]?.high == 3)
  }
}
