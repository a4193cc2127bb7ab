// Passes what is typed on our terminal to a child that has a pseudo-terminal as its input. Knows nothing of stages.
import CSystem
@preconcurrency package import Dispatch
import Glibc
import Synchronization

/// While it lives, each key goes to the child at once and the child's terminal echoes it; Ctrl-C still is a signal to
/// us, and the window's size follows ours. Ends with `stop`, which gives our terminal its state back.
package final class TerminalRelay: Sendable {
  private let source: any DispatchSourceRead
  private let resizes: any DispatchSourceTimer

  /// `nil` when standard input is no terminal, or another program has it in the foreground.
  package init?(to child: ChildProcess, on queue: DispatchQueue) {
    guard isatty(STDIN_FILENO) == 1, tcgetpgrp(STDIN_FILENO) == getpgrp(), cairn_terminal_raw(STDIN_FILENO) == 0 else {
      return nil
    }
    let source = DispatchSource.makeReadSource(fileDescriptor: STDIN_FILENO, queue: queue)
    source.setEventHandler {
      var keys = [UInt8](repeating: 0, count: 4096)
      let count = read(STDIN_FILENO, &keys, keys.count)
      if count > 0 { child.write(Array(keys[..<count])) } else if count == 0 { source.cancel() }
    }
    source.activate()
    self.source = source
    // Looked at twice a second instead of by SIGWINCH, which a caller may watch itself.
    let resizes = DispatchSource.makeTimerSource(queue: queue)
    resizes.schedule(deadline: .now(), repeating: 0.5, leeway: .milliseconds(100))
    let known = Mutex<[Int]>([])
    resizes.setEventHandler {
      guard let size = Terminal.size(STDIN_FILENO) else { return }
      let isNew = known.withLock { known in
        defer { known = [size.columns, size.rows] }
        return known != [size.columns, size.rows]
      }
      if isNew { child.resize(columns: size.columns, rows: size.rows) }
    }
    resizes.activate()
    self.resizes = resizes
  }

  package func stop() {
    source.cancel()
    resizes.cancel()
    cairn_terminal_restore()
  }

  deinit { stop() }
}
