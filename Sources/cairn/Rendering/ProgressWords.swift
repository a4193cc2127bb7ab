// What a command is at, on one line of a terminal that is drawn over and over. Nothing is printed elsewhere.
internal import CairnSystem
internal import Glibc

struct ProgressWords {
  private let isShown: Bool

  init(_ console: Console) { isShown = !console.isQuiet && Terminal.isTerminal(STDERR_FILENO) }

  func show(_ words: String) { write("\r\u{1B}[2K" + words.prefix(max(10, TextLayout.outputWidth - 1))) }
  func clear() { write("\r\u{1B}[2K") }

  private func write(_ text: String) {
    guard isShown else { return }
    let bytes = Array(text.utf8)
    _ = bytes.withUnsafeBytes { Glibc.write(STDERR_FILENO, $0.baseAddress, $0.count) }
  }
}
