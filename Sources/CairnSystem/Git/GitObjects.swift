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
  ///
  /// - Parameter limit: bytes that it may have; a larger one throws.
  package func object(_ name: String, limit: Int = .max) throws(Diagnostic) -> [UInt8]? {
    let shown = name
    let name = FileName.bytes(name)
    // The protocol ends a request with a line's end.
    if name.contains(0x0A) {
      let result = try repository.run(["cat-file", "blob", FileName.escape(name)])
      return result.exit.code == 0 ? result.output : nil
    }
    return try converse { (conversation: inout Conversation) throws(Diagnostic) in
      switch try conversation.ask(name, limit: limit) {
      case .bytes(let bytes): bytes
      case .missing: nil
      case .tooLarge(let size): throw Diagnostic(.tooLarge, "the object \(shown) is too large to be read (\(size) bytes)")
      }
    }
  }

  /// What one request of many found.
  package enum Blob {
    case bytes([UInt8])
    case missing
    /// More bytes than were asked for; they are passed over.
    case tooLarge(Int)
  }

  /// Reads many blobs, in their order, without waiting for one before the next is asked for. `body` gets the place in
  /// `names`, each the full name of an object.
  ///
  /// - Parameter limit: bytes that a blob may have.
  package func read(
    _ names: [String], limit: Int, _ body: (Int, Blob) -> Void
  ) throws(Diagnostic) {
    try converse { (conversation: inout Conversation) throws(Diagnostic) in
      try conversation.ask(names, limit: limit, body)
    }
  }

  private func converse<Answer>(
    _ body: (inout Conversation) throws(Diagnostic) -> Answer
  ) throws(Diagnostic) -> Answer {
    let result = conversation.withLock { conversation -> Result<Answer, Diagnostic> in
      do throws(Diagnostic) {
        var current: Conversation
        if let known = conversation { current = known } else { current = try Conversation(repository) }
        conversation = nil
        do throws(Diagnostic) {
          let answer = try body(&current)
          conversation = current
          return .success(answer)
        } catch {
          current.end()
          throw error
        }
      } catch { return .failure(error) }
    }
    return try result.get()
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
        ["git", "cat-file", "--batch"], folder: repository.workTree, environment: GitRepository.localEnvironment,
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

  mutating func ask(_ name: [UInt8], limit: Int) throws(Diagnostic) -> GitObjects.Blob {
    try send(name + [0x0A])
    return try answer(limit: limit)
  }

  /// Requests that are on their way at once: few enough for a pipe to hold, so that neither side waits for the other.
  private static let window = 512

  mutating func ask(
    _ names: [String], limit: Int, _ body: (Int, GitObjects.Blob) -> Void
  ) throws(Diagnostic) {
    var asked = 0
    for number in names.indices {
      if asked - number < Self.window / 2, asked < names.count {
        let end = min(names.count, number + Self.window)
        try send(names[asked..<end].reduce(into: [UInt8]()) { $0 += Array($1.utf8) + [0x0A] })
        asked = end
      }
      body(number, try answer(limit: limit))
    }
  }

  private func send(_ request: [UInt8]) throws(Diagnostic) {
    var sent = 0
    while sent < request.count {
      let count = request[sent...].withUnsafeBytes { cairn_write_quietly(input, $0.baseAddress, $0.count) }
      if count < 0 { throw Diagnostic.gitGone() }
      sent += count
    }
  }

  private mutating func answer(limit: Int) throws(Diagnostic) -> GitObjects.Blob {
    // "OBJECT TYPE SIZE", or "NAME missing", "NAME ambiguous": only the first has a body.
    let header = String(decoding: try line(), as: UTF8.self).split(separator: " ")
    guard header.count == 3, let size = Int(header[2]) else { return .missing }
    if size > limit {
      try skip(size + 1)
      return header[1] == "blob" ? .tooLarge(size) : .missing
    }
    let body = try take(size)
    _ = try take(1)
    return header[1] == "blob" ? .bytes(body) : .missing
  }

  private mutating func skip(_ count: Int) throws(Diagnostic) {
    var rest = count
    while rest > 0 {
      if position == buffer.count { try fill() }
      let taken = min(rest, buffer.count - position)
      position += taken
      rest -= taken
    }
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

extension Diagnostic.Code {
  /// Larger than whoever asked for it would read.
  package static let tooLarge = Diagnostic.Code("too-large")
}
