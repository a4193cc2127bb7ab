import CairnCore
import CairnSystem
import CairnTestSupport
import Testing

@Suite struct SharedDocumentTests {
  @Test("a document that is only read is not made; written, it is whole")
  func new() throws {
    let folder = try TemporaryFolder()
    let path = folder("table")
    #expect(try SharedDocument(path).bytes.isEmpty)
    #expect(try FileStat.of(path) == nil)
    try SharedDocument(path).overwrite(Array("{}".utf8))
    #expect(try folder.text("table") == "{}")
  }

  @Test("a shorter text leaves spaces behind it, a longer one none, in the same file")
  func overwritten() throws {
    let folder = try TemporaryFolder()
    let path = try folder.write("table", #"{"write": {}}"#)
    let inode = try FileStat.of(path)?.inode
    let document = try SharedDocument(path)
    #expect(document.bytes == Array(#"{"write": {}}"#.utf8))
    try document.overwrite(Array("{}".utf8))
    #expect(try folder.text("table") == "{}" + String(repeating: " ", count: 11))
    try SharedDocument(path).overwrite(Array(#"{"write": {"/a": 1}}"#.utf8))
    #expect(try folder.text("table") == #"{"write": {"/a": 1}}"#)
    #expect(try FileStat.of(path)?.inode == inode)
  }
}
