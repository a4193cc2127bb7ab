// DVC's `.dvc/tmp/rwlock`: which process reads or writes which path while a command runs.
// Source: the file that DVC 3.67.1 leaves while a stage sleeps.
package import CairnCore
import CairnFormats
import CairnSystem
import Dispatch
import Glibc
import Synchronization

/// Readers and writers of paths, shared with every `dvc` and `cairn` process of the project.
///
/// Stages of this process never block one another here (the graph keeps them apart); several may read one path, so
/// readers are counted in memory and the file is told only of the first and the last.
package final class PathLocks: Sendable {
  private let path: String
  private let guardLock: FileLock
  private let pid: Int
  private let command: String
  /// `{"pid", "cmd"}` of this process, and a list of that alone.
  private let ownInfo, ownInfos: [UInt8]
  private let state = Mutex(State())

  private struct State {
    var readers: [String: Int] = [:]
    var writers: [String: Int] = [:]
    /// Released in memory, still in the file: taken out with the next acquisition, or a moment later.
    var isDirty = false
    /// What we wrote last, where it named nobody but us.
    var written: [UInt8]?
    var settlesSoon = false
  }

  /// How long a release may stay unwritten: others wait for it.
  private static let pause = DispatchTimeInterval.milliseconds(50)

  package struct Claim: Sendable {
    /// Absolute paths.
    package var reads: [String]
    package var writes: [String]
    package init(reads: [String], writes: [String]) {
      self.reads = reads
      self.writes = writes
    }
  }

  package struct Blocker: Sendable {
    package var path: String
    package var pid: Int
    package var command: String
  }

  package init(temporaryFolder: String, command: String) {
    path = temporaryFolder + "/rwlock"
    guardLock = FileLock(temporaryFolder + "/rwlock.lock")
    pid = Int(getpid())
    self.command = command
    ownInfo = Table.Info(pid: pid, command: command).json
    ownInfos = Array("[".utf8) + ownInfo + Array("]".utf8)
  }

  /// Takes the claim, or says who holds a path of it.
  package func acquire(_ claim: Claim) throws(Diagnostic) -> Blocker? {
    try edit { (table, state) -> Blocker? in
      if let blocker = table.blocker(of: claim, besides: pid) { return blocker }
      for path in claim.reads { state.readers[path, default: 0] += 1 }
      for path in claim.writes { state.writers[path, default: 0] += 1 }
      return nil
    }
  }

  /// Gives the claim back. The file is rewritten with the next `acquire`, a moment later, or by `settle`.
  package func release(_ claim: Claim) {
    let isFirst = state.withLock { state in
      for path in claim.reads { Self.decrement(&state.readers, path) }
      for path in claim.writes { Self.decrement(&state.writers, path) }
      state.isDirty = true
      defer { state.settlesSoon = true }
      return !state.settlesSoon
    }
    guard isFirst else { return }
    DispatchQueue.global().asyncAfter(deadline: .now() + Self.pause) { [weak self] in
      self?.state.withLock { $0.settlesSoon = false }
      try? self?.settle()
    }
  }

  /// Writes pending releases out.
  package func settle() throws(Diagnostic) {
    guard state.withLock({ $0.isDirty }) else { return }
    _ = try edit { (_, _) -> Blocker? in nil }
  }

  private static func decrement(_ counts: inout [String: Int], _ path: String) {
    guard let count = counts[path] else { return }
    counts[path] = count > 1 ? count - 1 : nil
  }

  private func edit(_ body: (inout Table, inout State) -> Blocker?) throws(Diagnostic) -> Blocker? {
    let result: Result<Blocker?, Diagnostic> = state.withLock { state in
      do throws(Diagnostic) {
        // Held for microseconds by every other process, so waiting here is no waiting for a command.
        guard try guardLock.lock(within: .seconds(60), every: .milliseconds(1)) else {
          throw Diagnostic(.lock, "cannot take '\(path).lock': held by process \(guardLock.holder() ?? 0)")
        }
        defer { guardLock.release() }
        let file = try SharedDocument(path)
        // Nobody else has written since, and nobody else was in it: there is nothing to read. A longer document that was
        // there before has left spaces behind ours.
        let isOurs =
          state.written.map { $0.count <= file.bytes.count && memcmp($0, file.bytes, $0.count) == 0 } ?? false
        var table = isOurs ? Table() : Table(file.bytes)
        table.dropDead(besides: pid)
        let wasDirty = state.isDirty
        let blocker = body(&table, &state)
        guard blocker == nil || wasDirty else { return .success(blocker) }
        let text: [UInt8]
        if table.isEmpty {
          text = ownText(state)
          state.written = text
        } else {
          table.setOwn(pid: pid, command: command, readers: state.readers.keys, writers: state.writers.keys)
          text = table.text
          state.written = table.hasOthers(than: pid) ? nil : text
        }
        do throws(Diagnostic) {
          try file.overwrite(text)
        } catch {
          state.written = nil
          throw error
        }
        state.isDirty = false
        return .success(blocker)
      } catch {
        return .failure(error)
      }
    }
    return try result.get()
  }

  /// The document that names nobody but us: made for each stage, so without a table.
  private func ownText(_ state: State) -> [UInt8] {
    Self.text(
      write: state.writers.keys.lazy.map { ($0, self.ownInfo) },
      read: state.readers.keys.lazy.map { ($0, self.ownInfos) })
  }

  /// As `json.dumps` writes it; `info` and `infos` are JSON already.
  private static func text(
    write: some Collection<(path: String, info: [UInt8])>, read: some Collection<(path: String, infos: [UInt8])>
  ) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity((write.count + read.count) * 200 + 64)
    func append(_ title: StaticString, _ pairs: some Collection<(String, [UInt8])>) {
      if pairs.isEmpty { return }
      bytes.append(contentsOf: (bytes.isEmpty ? "{" : ", ").utf8)
      bytes.append(title)
      for (index, (path, value)) in pairs.enumerated() {
        if index > 0 { bytes.append(", ") }
        JSONWriter.append(path, to: &bytes)
        bytes.append(": ")
        bytes.append(contentsOf: value)
      }
      bytes.append("}")
    }
    append("\"write\": {", write.lazy.map { ($0.path, $0.info) })
    append("\"read\": {", read.lazy.map { ($0.path, $0.infos) })
    if bytes.isEmpty { bytes.append("{") }
    bytes.append("}")
    return bytes
  }

  /// The document: `{"write": {path: info}, "read": {path: [info]}}`, info being `{"pid", "cmd"}`.
  private struct Table {
    struct Info {
      var pid: Int
      var command: String

      var json: [UInt8] {
        var bytes = Array("{\"pid\": \(pid), \"cmd\": ".utf8)
        JSONWriter.append(command, to: &bytes)
        bytes.append("}")
        return bytes
      }
    }
    var write: [(path: String, info: Info)] = []
    var read: [(path: String, infos: [Info])] = []

    init() {}

    var isEmpty: Bool { write.isEmpty && read.isEmpty }

    /// An unreadable document counts as empty: it only ever held the living.
    init(_ bytes: [UInt8]) {
      guard !bytes.isEmpty, let value = try? JSONReader.parse(SourceText(path: "rwlock", bytes: bytes)).value
      else { return }
      for (path, info) in value["write"]?.map ?? [:] {
        if let path = path.string, let info = Self.info(info) { write.append((path, info)) }
      }
      for (path, infos) in value["read"]?.map ?? [:] {
        if let path = path.string { read.append((path, (infos.list ?? []).compactMap(Self.info))) }
      }
    }

    private static func info(_ value: Value) -> Info? {
      guard let pid = value["pid"]?.int, let command = value["cmd"]?.string else { return nil }
      return Info(pid: pid, command: command)
    }

    func hasOthers(than pid: Int) -> Bool {
      write.contains { $0.info.pid != pid } || read.contains { $0.infos.contains { $0.pid != pid } }
    }

    mutating func dropDead(besides pid: Int) {
      if isEmpty { return }
      func isAlive(_ info: Info) -> Bool {
        info.pid == pid || ProcessIdentity.exists(pid_t(truncatingIfNeeded: info.pid))
      }
      write.removeAll { !isAlive($0.info) }
      for index in read.indices { read[index].infos.removeAll { !isAlive($0) } }
      read.removeAll { $0.infos.isEmpty }
    }

    func blocker(of claim: Claim, besides pid: Int) -> Blocker? {
      for (path, info) in write where info.pid != pid {
        if (claim.reads + claim.writes).contains(where: { Self.overlap($0, path) }) {
          return Blocker(path: path, pid: info.pid, command: info.command)
        }
      }
      for (path, infos) in read {
        guard let info = infos.first(where: { $0.pid != pid }) else { continue }
        if claim.writes.contains(where: { Self.overlap($0, path) }) {
          return Blocker(path: path, pid: info.pid, command: info.command)
        }
      }
      return nil
    }

    private static func overlap(_ a: String, _ b: String) -> Bool {
      let (short, long) = a.utf8.count < b.utf8.count ? (a, b) : (b, a)
      return long.utf8.starts(with: short.utf8)
        && (long.utf8.count == short.utf8.count || short.hasSuffix("/")
          || long.utf8[long.utf8.index(long.utf8.startIndex, offsetBy: short.utf8.count)] == UInt8(ascii: "/"))
    }

    mutating func setOwn(pid: Int, command: String, readers: some Sequence<String>, writers: some Sequence<String>) {
      write.removeAll { $0.info.pid == pid }
      for index in read.indices { read[index].infos.removeAll { $0.pid == pid } }
      let own = Info(pid: pid, command: command)
      for path in writers { write.append((path, own)) }
      let others = read.count
      for path in readers {
        if let index = read[..<others].firstIndex(where: { $0.path.hasSameBytes(as: path) }) {
          read[index].infos.append(own)
        } else {
          read.append((path, [own]))
        }
      }
      read.removeAll { $0.infos.isEmpty }
    }

    var text: [UInt8] {
      PathLocks.text(
        write: write.map { ($0.path, $0.info.json) },
        read: read.map { ($0.path, Array("[".utf8) + $0.infos.map(\.json).joined(separator: ", ".utf8) + Array("]".utf8)) })
    }
  }
}

extension Diagnostic.Code {
  package static let lock = Diagnostic.Code("lock")
}
