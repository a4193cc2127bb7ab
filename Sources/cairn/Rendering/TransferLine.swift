// How far a transfer is, on one line of a terminal that is drawn over and over. Nothing is printed elsewhere.
internal import CairnStore
internal import CairnSystem
internal import Dispatch
internal import Glibc

final class TransferLine: Sendable {
  private let progress: TransferProgress
  private let what: String
  private let began = WallClock.monotonic()
  /// Dispatch sources may be used from everywhere.
  nonisolated(unsafe) private let timer: any DispatchSourceTimer
  private let queue = DispatchQueue(label: "transfer-line")

  /// `nil` where standard error is no terminal.
  ///
  /// - Parameter what: `Pushing`.
  init?(_ what: String, _ progress: TransferProgress) {
    guard Terminal.isTerminal(STDERR_FILENO) else { return nil }
    self.progress = progress
    self.what = what
    timer = DispatchSource.makeTimerSource(queue: queue)
    timer.schedule(deadline: .now() + .milliseconds(300), repeating: .milliseconds(150))
    timer.setEventHandler { [unowned self] in draw() }
    timer.resume()
  }

  /// Takes the line away.
  func end() {
    timer.cancel()
    // One that is being drawn is drawn to its end: neither after this, nor by nobody.
    queue.sync {}
    Self.write("\r\u{1B}[2K")
  }

  private func draw() {
    let now = progress.now
    guard now.files > 0 else { return Self.write("\r\u{1B}[2K\(what): looking at what is there") }
    let seconds = max(0.001, Double(WallClock.monotonic() - began) / 1e9)
    Self.write("\r\u{1B}[2K" + Self.words(what, now, seconds: seconds, width: TextLayout.outputWidth))
  }

  /// `Pushing  120 of 10,000 files  3.4 MB of 12.0 MB  1.1 MB/s  8 s left`.
  static func words(_ what: String, _ state: TransferProgress.State, seconds: Double, width: Int) -> String {
    let sent = UInt64(max(0, state.doneBytes))
    var parts = ["\(what)  \(state.doneFiles) of \(state.files) files"]
    let total = state.bytes > 0 ? " of " + (HumanText.size(state.bytes) ?? "") : ""
    parts.append((HumanText.size(sent) ?? "") + total)
    parts.append((HumanText.size(UInt64(Double(sent) / seconds)) ?? "") + "/s")
    let share =
      state.bytes > 0 ? Double(sent) / Double(state.bytes) : Double(state.doneFiles) / Double(state.files)
    if share > 0, share < 1, seconds > 1 { parts.append(HumanText.duration(seconds / share - seconds) + " left") }
    var line = parts.joined(separator: "  ")
    if line.count >= width { line = String(line.prefix(max(10, width - 1))) }
    return line
  }

  private static func write(_ text: String) {
    let bytes = Array(text.utf8)
    _ = bytes.withUnsafeBytes { Glibc.write(STDERR_FILENO, $0.baseAddress, $0.count) }
  }
}
