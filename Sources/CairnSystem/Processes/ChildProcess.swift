// One child: its start, what it prints, its end. Knows nothing of stages, logs or time limits.
import CSystem
package import CairnCore
import Glibc
import Synchronization

package final class ChildProcess: Sendable {
  /// Where standard output and error go, together.
  package enum Output: Sendable {
    /// To `Event.output`, through a pipe.
    case pipe
    /// Standard output to `Event.output`, standard error to `Event.error`, through a pipe each: the order between the
    /// two is not known to the microsecond.
    case pipes
    /// To `Event.output`, through a pseudo-terminal of this size: the child sees a terminal.
    case terminal(columns: Int, rows: Int)
    /// Where ours go.
    case inherit
    case null
    /// To a descriptor of the caller's, which the child duplicates.
    case descriptor(Int32)
  }

  package enum Input: Sendable {
    case null
    case inherit
    /// What `write` sends. Needs `Output.terminal`; that is then the child's controlling terminal, in a session of its
    /// own: it can be interrupted by a key, and what it leaves in the background is hung up when it ends.
    case terminal
  }

  package struct Request: Sendable {
    package var argv: [String]
    /// `nil`: ours.
    package var folder: String?
    /// `nil`: ours as it is now. Make one `ChildEnvironment` and reuse it where there are many children.
    package var environment: ChildEnvironment?
    package var input: Input
    package var output: Output
    /// A process group of its own, numbered as its pid: what `signal` reaches.
    package var ownGroup = true

    package init(
      _ argv: [String], folder: String? = nil, environment: ChildEnvironment? = nil, input: Input = .null,
      output: Output = .pipe
    ) {
      self.argv = argv
      self.folder = folder
      self.environment = environment
      self.input = input
      self.output = output
    }
  }

  package struct Exit: Hashable, Sendable {
    /// `nil` when a signal killed it.
    package var code: Int32?
    package var signal: Int32?
    /// Of the process and of the descendants that it waited for.
    package var userSeconds: Double
    package var systemSeconds: Double
    /// Of the largest of the process and of the descendants that it waited for.
    package var peakMemory: PeakMemory

    package var cpuSeconds: Double { userSeconds + systemSeconds }
    package var succeeded: Bool { code == 0 }
    /// As Python's `returncode`, which DVC prints: minus the signal's number where one killed it.
    package var returnCode: Int32 { code ?? -(signal ?? 0) }
  }

  package enum Event: Sendable {
    case output([UInt8])
    case error([UInt8])
    /// Exactly once, and last.
    case ended(Exit)
  }

  package let pid: Int32
  private let ownGroup: Bool
  private let handler: @Sendable (Event) -> Void
  private let state: Mutex<State>

  private struct State {
    var ended = false
    var killsGroupAtEnd = false
    var process: Watched
    var output: Watched?
    var error: Watched?
  }

  private enum Stream { case output, error }

  /// A descriptor and its token in `ChildWatch`.
  private struct Watched { var descriptor: Int32, token: UInt64 = 0 }

  /// Starts it and returns at once; throws only when nothing was started.
  ///
  /// `handler` is called for one child at a time, by whoever watches them all, so it must be brief and never wait. The
  /// process has ended when it itself has: what is in the pipe by then is delivered before `ended`, its end is not
  /// awaited, since a daemon may hold it. Such a daemon's output is read and dropped from then on, so that it does not
  /// block.
  package static func start(
    _ request: Request, handler: @escaping @Sendable (Event) -> Void
  ) throws(Diagnostic) -> ChildProcess {
    let watch = ChildWatch.shared
    let plumbing = try Plumbing(request)
    defer { plumbing.closeChildEnds() }
    let pid: Int32
    do throws(Diagnostic) {
      pid = try Spawn.start(
        request.argv, folder: request.folder, environment: request.environment, descriptors: plumbing.child,
        ownGroup: request.ownGroup)
    } catch {
      plumbing.closeOurEnd()
      throw error
    }
    let process = cairn_pidfd_open(pid)
    if process < 0 {
      kill(request.ownGroup ? -pid : pid, SIGKILL)
      var end = cairn_exit()
      _ = cairn_reap(pid, 1, &end)
      plumbing.closeOurEnd()
      throw Diagnostic.system(-process, "watch a child", request.argv.first ?? "")
    }
    let child = ChildProcess(
      pid: pid, ownGroup: request.ownGroup || request.input.isTerminal, process: process, output: plumbing.ours,
      error: plumbing.ourErrors, handler: handler)
    try child.enter(watch)
    return child
  }

  private init(
    pid: Int32, ownGroup: Bool, process: Int32, output: Int32?, error: Int32?,
    handler: @escaping @Sendable (Event) -> Void
  ) {
    self.pid = pid
    self.ownGroup = ownGroup
    self.handler = handler
    state = Mutex(
      State(
        process: Watched(descriptor: process), output: output.map { Watched(descriptor: $0) },
        error: error.map { Watched(descriptor: $0) }))
  }

  private func enter(_ watch: ChildWatch) throws(Diagnostic) {
    // Under the lock: an event that comes at once waits until the tokens are in place.
    try state.withLock { (state: inout State) throws(Diagnostic) in
      if let output = state.output {
        state.output?.token = try watch.add(output.descriptor) { self.readSome(.output) }
      }
      if let error = state.error {
        state.error?.token = try watch.add(error.descriptor) { self.readSome(.error) }
      }
      state.process.token = try watch.add(state.process.descriptor) { self.end() }
    }
  }

  /// Sends a signal to the whole group; false when the process has ended already.
  @discardableResult
  package func signal(_ number: Int32) -> Bool {
    state.withLock { state in
      // Not reaped yet, so the number still is this child's, even if it is a zombie.
      if state.ended { return false }
      if number == SIGKILL { state.killsGroupAtEnd = true }
      return kill(ownGroup ? -pid : pid, number) == 0
    }
  }

  /// From now on, when the process ends, what is left of its group is killed: for stages that were stopped.
  package func leaveNothingBehind() { state.withLock { $0.killsGroupAtEnd = true } }

  /// Sends bytes to the pseudo-terminal. Drops what does not fit into its buffer.
  package func write(_ bytes: [UInt8]) {
    state.withLock { state in
      guard !state.ended, let output = state.output else { return }
      _ = cairn_write_all(output.descriptor, bytes, bytes.count)
    }
  }

  package func resize(columns: Int, rows: Int) {
    state.withLock { state in
      guard !state.ended, let output = state.output else { return }
      _ = cairn_set_window_size(output.descriptor, Int32(columns), Int32(rows))
    }
  }

  // MARK: On the leader of the watch

  private enum Reading { case more([UInt8]), nothing, closed }

  /// True when there may be more.
  private func readSome(_ stream: Stream) -> Bool {
    let (reading, ended) = state.withLock { state in (read(stream, &state), state.ended) }
    if case .more(let bytes) = reading, !ended { tell(stream, bytes) }
    if case .closed = reading { return false }
    return true
  }

  private func tell(_ stream: Stream, _ bytes: [UInt8]) {
    handler(stream == .output ? .output(bytes) : .error(bytes))
  }

  /// One read; at the end of the stream the descriptor is taken out and closed.
  private func read(_ stream: Stream, _ state: inout State) -> Reading {
    guard let source = stream == .output ? state.output : state.error else { return .closed }
    let (bytes, failure) = ChildWatch.shared.read(source.descriptor)
    if !bytes.isEmpty { return .more(bytes) }
    if failure == EAGAIN || failure == EINTR { return .nothing }
    // A pseudo-terminal ends with EIO.
    ChildWatch.shared.close(source.descriptor, source.token)
    if stream == .output { state.output = nil } else { state.error = nil }
    return .closed
  }

  /// True when it has not ended yet.
  private func end() -> Bool {
    var raw = cairn_exit()
    var chunks: [(Stream, [UInt8])] = []
    let ended: Bool? = state.withLock { state in
      if state.ended { return nil }
      if state.killsGroupAtEnd, ownGroup { kill(-pid, SIGKILL) }
      let result = cairn_reap(pid, 0, &raw)
      if result == 0, raw.ended == 0 { return false }
      // Somebody else took its end: how it ended is not known, hence not success.
      if result < 0 { raw.code = 255 }
      drain(&state, into: &chunks)
      state.ended = true
      ChildWatch.shared.close(state.process.descriptor, state.process.token)
      return true
    }
    guard ended == true else { return ended == false }
    for (stream, bytes) in chunks { tell(stream, bytes) }
    handler(.ended(Exit(raw)))
    return false
  }

  /// What was written before the end, and no more than a pipe can hold: a daemon may write for ever.
  private func drain(_ state: inout State, into chunks: inout [(Stream, [UInt8])]) {
    for stream in [Stream.output, .error] {
      var total = 0
      while total < 1 << 20, case .more(let bytes) = read(stream, &state) {
        chunks.append((stream, bytes))
        total += bytes.count
      }
    }
  }
}

extension ChildProcess.Input {
  fileprivate var isTerminal: Bool { if case .terminal = self { true } else { false } }
}

extension ChildProcess.Exit {
  init(_ raw: cairn_exit) {
    self.init(
      code: raw.signal == 0 ? raw.code : nil, signal: raw.signal == 0 ? nil : raw.signal,
      userSeconds: Double(raw.user_us) / 1e6, systemSeconds: Double(raw.system_us) / 1e6,
      peakMemory: PeakMemory(told: UInt64(max(0, raw.peak_rss))))
  }
}

/// The descriptors of one start: which are the child's, which ours.
private struct Plumbing {
  var child = ChildDescriptors()
  var ours: Int32?
  /// Of standard error, where that has a pipe of its own.
  var ourErrors: Int32?
  private var childEnds: [Int32] = []

  init(_ request: ChildProcess.Request) throws(Diagnostic) {
    switch request.input {
    case .null: child.input = NullDevice.reading
    case .inherit, .terminal: break
    }
    switch request.output {
    case .inherit: break
    case .null: (child.output, child.error) = (NullDevice.writing, NullDevice.writing)
    case .descriptor(let descriptor): (child.output, child.error) = (descriptor, descriptor)
    case .pipe:
      var reading: Int32 = -1
      var writing: Int32 = -1
      let result = cairn_pipe(&reading, &writing, 1)
      if result < 0 { throw Diagnostic.system(-result, "make a pipe", request.argv.first ?? "") }
      take(ours: reading, child: writing)
    case .pipes:
      var (reading, writing): (Int32, Int32) = (-1, -1)
      var (readingErrors, writingErrors): (Int32, Int32) = (-1, -1)
      var result = cairn_pipe(&reading, &writing, 1)
      if result >= 0 {
        result = cairn_pipe(&readingErrors, &writingErrors, 1)
        if result < 0 {
          close(reading)
          close(writing)
        }
      }
      if result < 0 { throw Diagnostic.system(-result, "make a pipe", request.argv.first ?? "") }
      (ours, ourErrors) = (reading, readingErrors)
      (child.output, child.error) = (writing, writingErrors)
      childEnds = [writing, writingErrors]
    case .terminal(let columns, let rows):
      var master: Int32 = -1
      var slave: Int32 = -1
      var name = [CChar](repeating: 0, count: 64)
      let result = cairn_open_terminal(Int32(columns), Int32(rows), &master, &slave, &name, name.count)
      if result < 0 { throw Diagnostic.system(-result, "open a pseudo-terminal", "/dev/ptmx") }
      take(ours: master, child: slave)
      if request.input.isTerminal {
        child.terminal = name.withUnsafeBufferPointer { $0.baseAddress.map { String(systemName: $0) } }
      }
    }
  }

  private mutating func take(ours: Int32, child: Int32) {
    self.ours = ours
    (self.child.output, self.child.error) = (child, child)
    childEnds = [child]
  }

  func closeChildEnds() { childEnds.forEach { close($0) } }
  func closeOurEnd() { for descriptor in [ours, ourErrors] { if let descriptor { close(descriptor) } } }
}

enum NullDevice {
  static let reading: Int32 = "/dev/null".asSystemPath { cairn_open($0, O_RDONLY, 0) }
  static let writing: Int32 = "/dev/null".asSystemPath { cairn_open($0, O_WRONLY, 0) }
}
