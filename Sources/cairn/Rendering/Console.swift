// Where a command's words go: results to standard output, trouble to standard error, buffered and in order.
// Knows how to write; knows nothing of what is said.
internal import CairnCore
internal import Glibc
internal import Synchronization

/// The two streams of the process. May be used from any thread: each call is written whole.
final class Console: Sendable {
  private struct State {
    var pending: [UInt8] = []
    /// Messages for people also go to standard error, so that standard output is one document.
    var keepsOutputForResults = false
    /// Why standard output takes no more: the number of the failed write's error, 0 as long as it does.
    var failure: Int32 = 0
  }

  /// `-q`: nothing is said, not even errors; the exit code tells.
  let isQuiet: Bool
  let isVerbose: Bool
  let colorsOutput: Bool
  let colorsErrors: Bool
  private let state = Mutex(State())

  init(isQuiet: Bool = false, isVerbose: Bool = false) {
    self.isQuiet = isQuiet
    self.isVerbose = isVerbose
    let mayColor = !Self.isSet("NO_COLOR") && !Self.isSet("CAIRN_NO_COLOR")
      && getenv("TERM").map { strcmp($0, "dumb") != 0 } ?? true
    colorsOutput = mayColor && isatty(STDOUT_FILENO) == 1
    colorsErrors = mayColor && isatty(STDERR_FILENO) == 1
  }

  /// Why what was written did not reach standard output: `EPIPE` where its reader has gone, `ENOSPC` on a full disk; 0
  /// when all is well.
  var outputFailure: Int32 { state.withLock { $0.failure } }

  /// From now on standard output has results only (`--json`); `info` goes to standard error.
  func keepOutputForResults() { state.withLock { $0.keepsOutputForResults = true } }

  /// A result: what the command was asked for. Nothing under `-q`, as with DVC.
  func write(_ text: String, terminator: String = "\n") {
    if isQuiet { return }
    append(text + terminator)
  }

  /// A result in columns: DVC's tables ask nobody about `-q`.
  func writeTable(_ text: String) { append(text + "\n") }

  /// A result that `-q` does not silence, byte for byte.
  func writeRaw(_ bytes: some Collection<UInt8>) {
    state.withLock { state in
      state.pending.append(contentsOf: bytes)
      if state.pending.count > 1 << 16 { Self.drain(&state) }
    }
  }

  /// Bytes of others for standard error, in order with what was written before.
  func writeErrors(_ bytes: [UInt8]) {
    state.withLock { state in
      Self.drain(&state)
      _ = Self.write(bytes, to: STDERR_FILENO)
    }
  }

  /// What goes on, for people: DVC prints it to standard output.
  func info(_ text: String) {
    if isQuiet { return }
    if state.withLock({ $0.keepsOutputForResults }) { toErrors(text + "\n") } else { append(text + "\n") }
  }

  func warning(_ text: String) {
    if !isQuiet { toErrors(colored("WARNING", .yellow) + ": " + text + "\n") }
  }

  func error(_ text: String) {
    if !isQuiet { toErrors(colored("ERROR", .red) + ": " + text + "\n") }
  }

  /// Plain words on standard error.
  func note(_ text: String, evenIfQuiet: Bool = false) {
    if !isQuiet || evenIfQuiet { toErrors(text + "\n") }
  }

  /// Prints an error with its place, notes and hint.
  func report(_ error: any Error) {
    if isQuiet { return }
    let diagnostic = error as? Diagnostic ?? Diagnostic(.io, "\(error)")
    toErrors(DiagnosticPrinter(usesColor: colorsErrors).text(diagnostic))
  }

  func flush() { state.withLock { Self.drain(&$0) } }

  private func append(_ text: String) {
    let bytes = FileName.needsEscape(text) ? FileName.bytes(text) : nil
    state.withLock { state in
      if let bytes { state.pending.append(contentsOf: bytes) } else { state.pending.append(contentsOf: text.utf8) }
      // On a terminal people wait for the line; in a pipe whole blocks are cheaper.
      if colorsOutput || state.pending.count > 1 << 16 { Self.drain(&state) }
    }
  }

  private func toErrors(_ text: String) {
    let bytes = FileName.bytes(text)
    state.withLock { state in
      Self.drain(&state)
      _ = Self.write(bytes, to: STDERR_FILENO)
    }
  }

  private func colored(_ text: String, _ color: Color) -> String { color.paint(text, if: colorsErrors) }

  private static func drain(_ state: inout State) {
    if !state.pending.isEmpty, state.failure == 0 { state.failure = write(state.pending, to: STDOUT_FILENO) }
    state.pending.removeAll(keepingCapacity: true)
  }

  /// Returns the number of the error that stopped it, or 0.
  private static func write(_ bytes: [UInt8], to descriptor: Int32) -> Int32 {
    bytes.withUnsafeBytes { buffer in
      var rest = UnsafeRawBufferPointer(buffer)
      while let start = rest.baseAddress, !rest.isEmpty {
        let count = Glibc.write(descriptor, start, rest.count)
        if count > 0 {
          rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(count))
        } else if count < 0 && errno == EAGAIN {
          var poll = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
          _ = Glibc.poll(&poll, 1, -1)
        } else if !(count < 0 && errno == EINTR) {
          return count < 0 ? errno : EIO
        }
      }
      return 0
    }
  }

  private static func isSet(_ variable: String) -> Bool { getenv(variable).map { $0.pointee != 0 } ?? false }
}

/// Terminal colours, as DVC uses them.
enum Color: String, Sendable {
  case red = "31", green = "32", yellow = "33", blue = "34", cyan = "36", grey = "90", bold = "1"

  func paint(_ text: String, if isWanted: Bool = true) -> String {
    isWanted ? "\u{1B}[\(rawValue)m\(text)\u{1B}[0m" : text
  }
}
