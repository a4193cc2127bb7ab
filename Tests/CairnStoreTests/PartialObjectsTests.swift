// What killed transfers left: what is gone on with, and what goes.
import CairnCore
@testable import CairnStore
import CairnSystem
import CairnTestSupport
import Foundation
import Testing

struct PartialObjectsTests {
  private func hash(_ text: String) -> ContentHash { ContentHash(.md5, ContentHasher.md5(of: Array(text.utf8))) }

  /// The id of a process that has ended.
  private func dead() throws -> Int32 {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/bin/true")
    try process.run()
    process.waitUntilExit()
    return process.processIdentifier
  }

  private func leave(_ hash: ContentHash, of process: Int32, _ size: Int, in folder: String) throws -> String {
    let path = "\(folder)/.cairn-\(process)-salt-1-\(hash.digest.hex).tmp"
    try Files.write([UInt8](repeating: 1, count: size), to: path)
    return path
  }

  @Test("a large part is taken over, once; a small one, and one of an object that is there, go; a living process keeps its own")
  func left() throws {
    let folder = try TemporaryFolder()
    let (large, small, whole, living) = (hash("large"), hash("small"), hash("whole"), hash("living"))
    let dead = try dead()
    let parts = try [
      leave(large, of: dead, 1 << 20, in: folder.path), leave(small, of: dead, 1 << 10, in: folder.path),
      leave(whole, of: dead, 1 << 20, in: folder.path), leave(living, of: getpid(), 1 << 20, in: folder.path),
    ]
    try Files.makeDirectories(folder(String(whole.digest.hex.prefix(2))))
    try Files.write([1], to: folder("\(whole.digest.hex.prefix(2))/\(whole.digest.hex.dropFirst(2))"))
    #expect(PartialObjects.take(large, in: [folder.path], as: folder("mine")))
    #expect(try FileStat.of(folder("mine"))?.size == 1 << 20)
    #expect(parts.map { Files.exists($0) } == [false, false, false, true])
    for other in [large, small, whole, living] {
      #expect(!PartialObjects.take(other, in: [folder.path], as: folder("other")))
    }
  }
}
