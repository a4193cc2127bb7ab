// Reads many objects of a git repository through one process. Knows the protocol of `git cat-file --batch`.
import CSystem
package import CairnCore
import Glibc
import Synchronization

/// Safe to use from several threads, one request at a time. Blocks while git answers.
package final class GitObjects: Sendable {
  private let repository: GitRepository
  private let conversation = Mutex<Conversation?>(nil)

  /// Starts nothing yet.
  package init(_ repository: GitRepository) { self.repository = repository }

  deinit { conversation.withLock { $0?.end() } }

  /// The bytes of a file (path relative to the work tree) in a commit; `nil` when the commit or the file is not there,
  /// or it is a folder.
  package func show(_ revision: String, _ path: String) throws(Diagnostic) -> [UInt8]? {
    try object(revision + ":" + path)
  }

  /// The bytes of a blob by any name that git understands; `nil` when there is none.
  package func object(_ name: String) throws(Diagnostic) -> [UInt8]? {
    let name = FileName.bytes(name)
    // The protocol ends a request with a line's end.
    if name.contains(0x0A) {
      let result = try repository.run(["cat-file", "blob", FileName.escape(name)])
      return result.exit.code == 0 ? result.output : nil
    }
    return try conversation.withLock { (conversation: inout Conversation?) throws(Diagnostic) -> [UInt8]? in
      if conversation == nil { conversation = try Conversation(repository) }
      do throws(Diagnostic) {
        return try conversation?.ask(name)
      } catch {
        conversation?.end()
        conversation = nil
        throw error
      }
    }
  }
}

private struct Conversation {
  private let pid: Int32
  private var input: Int32 = -1
  private var output: Int32 = -1
  private var buffer: [UInt8] = []
  private var position = 0

  init(_ repository: GitRepository) throws(Diagnostic) {
    StandardDescriptors.fill()
    var child = ChildDescriptors()
    child.error = NullDevice.writing
    var result = cairn_pipe(&child.input, &input, 0)
    if result >= 0 { result = cairn_pipe(&output, &child.output, 0) }
    let ends = [child.input, child.output]
    defer { for descriptor in ends where descriptor >= 0 { close(descriptor) } }
    do throws(Diagnostic) {
      if result < 0 { throw Diagnostic.system(-result, "make a pipe", "git") }
      pid = try Spawn.start(
        ["git", "cat-file", "--batch"], folder: repository.workTree, environment: GitRepository.environment,
        descriptors: child, ownGroup: true)
    } catch {
      for descriptor in [input, output] where descriptor >= 0 { close(descriptor) }
      throw error
    }
  }

  func end() {
    close(input)
    close(output)
    var raw = cairn_exit()
    _ = cairn_reap(pid, 1, &raw)
  }

  mutating func ask(_ name: [UInt8]) throws(Diagnostic) -> [UInt8]? {
    let request = name + [0x0A]
    var sent = 0
    while sent < request.count {
      let count = request[sent...].withUnsafeBytes { cairn_write_quietly(input, $0.baseAddress, $0.count) }
      if count < 0 { throw Diagnostic.gitGone() }
      sent += count
    }
    // "OBJECT TYPE SIZE", or "NAME missing", "NAME ambiguous": only the first has a body.
    let header = String(decoding: try line(), as: UTF8.self).split(separator: " ")
    guard header.count == 3, let size = Int(header[2]) else { return nil }
    let body = try take(size)
    _ = try take(1)
    return header[1] == "blob" ? body : nil
  }

  private mutating func line() throws(Diagnostic) -> [UInt8] {
    while true {
      if let end = buffer[position...].firstIndex(of: 0x0A) {
        defer { position = end + 1 }
        return Array(buffer[position..<end])
      }
      try fill()
    }
  }

  private mutating func take(_ count: Int) throws(Diagnostic) -> [UInt8] {
    while buffer.count - position < count { try fill() }
    defer { position += count }
    return Array(buffer[position..<position + count])
  }

  private mutating func fill() throws(Diagnostic) {
    if position > 0 {
      buffer.removeFirst(position)
      position = 0
    }
    var chunk = [UInt8](repeating: 0, count: 64 * 1024)
    let got = Glibc.read(output, &chunk, chunk.count)
    if got == 0 { throw Diagnostic.gitGone() }
    if got < 0, errno != EINTR { throw Diagnostic.system(errno, "read from git", "cat-file") }
    if got > 0 { buffer += chunk[..<got] }
  }
}

extension Diagnostic {
  fileprivate static func gitGone() -> Diagnostic { Diagnostic(.git, "git cat-file ended unexpectedly") }
}
