// Tells of signals that come to this process. Knows nothing of what is then to be done.
import CSystem
import CairnCore
@preconcurrency package import Dispatch
import Glibc

/// While it lives, the signals named do not end the process but are told to `handler`.
///
/// A handler that writes into a pipe takes them, so that children have them at their defaults by themselves. A signal
/// that was ignored when we started (`nohup`, a shell's background job) stays ignored. There is one watch at a time.
package final class SignalWatch: Sendable {
  private let source: any DispatchSourceRead
  private let signals: [Int32]

  /// `handler` is called on `queue`, once for each signal.
  package init(
    _ signals: [Int32] = [SIGINT, SIGTERM, SIGHUP], on queue: DispatchQueue,
    _ handler: @escaping @Sendable (Int32) -> Void
  ) {
    let descriptor = cairn_signals_open()
    precondition(descriptor >= 0, "no pipe for signals: \(SystemError.text(-descriptor))")
    let source = DispatchSource.makeReadSource(fileDescriptor: descriptor, queue: queue)
    source.setEventHandler {
      var numbers = [UInt8](repeating: 0, count: 64)
      let count = read(descriptor, &numbers, numbers.count)
      if count > 0 { for number in numbers[..<count] { handler(Int32(number)) } }
    }
    source.setCancelHandler { close(descriptor) }
    source.activate()
    self.source = source
    self.signals = signals.filter { cairn_signal_watch($0, 1) == 0 }
  }

  deinit {
    for signal in signals { _ = cairn_signal_watch(signal, 0) }
    source.cancel()
  }
}
