// How far sending to the tracking server is, on one line of a terminal. Nothing is printed elsewhere.
internal import CairnSystem
internal import Glibc

struct TrackLine {
  private let isShown: Bool

  init(_ console: Console) { isShown = !console.isQuiet && Terminal.isTerminal(STDERR_FILENO) }

  func show(_ done: Int, of all: Int) { write("\r\u{1B}[2KSending to the tracking server  \(done) of \(all)") }
  func show(left: Int) { write("\r\u{1B}[2KSending to the tracking server  \(left) left") }
  func clear() { write("\r\u{1B}[2K") }

  private func write(_ text: String) {
    guard isShown else { return }
    let bytes = Array(text.utf8)
    _ = bytes.withUnsafeBytes { Glibc.write(STDERR_FILENO, $0.baseAddress, $0.count) }
  }
}
