// One running stage as a terminal shows it: its output until it is a long one, then line by line.

struct LiveStage {
  /// Seconds on a clock that only goes forward.
  let since: Double
  var devices: [String] = []
  var commands: [String] = []
  /// Shown line by line with its name in front, since it runs for long.
  private(set) var isStreamed = false
  /// What has not been shown.
  private var pending: [UInt8] = []
  private var lastBytes: [UInt8] = []

  init(since: Double) { self.since = since }

  mutating func write(_ bytes: [UInt8]) {
    pending += bytes
    lastBytes += bytes.suffix(8192)
    if lastBytes.count > 16384 { lastBytes.removeFirst(lastBytes.count - 8192) }
  }

  mutating func stream() { isStreamed = true }

  /// Of a streamed stage: the lines that are complete.
  mutating func takeLines() -> [String] {
    guard let end = pending.lastIndex(of: 0x0A) else { return [] }
    let whole = pending[..<end]
    pending = Array(pending[(end + 1)...])
    return Self.lines(whole)
  }

  /// All that has not been shown, as it came.
  mutating func takeRest() -> [UInt8] {
    defer { pending = [] }
    return pending
  }

  /// The last line that has no end yet.
  mutating func takeUnfinishedLine() -> String? { Self.lines(takeRest()[...]).last { !$0.isEmpty } }

  func lastLines(_ count: Int) -> [String] {
    Array(Self.lines(lastBytes[...]).filter { !$0.isEmpty }.suffix(count))
  }

  /// Each line in its last state: what came before a carriage return was written over.
  static func lines(_ bytes: ArraySlice<UInt8>) -> [String] {
    bytes.split(separator: 0x0A, omittingEmptySubsequences: false).map { line in
      var line = line
      while line.last == 0x0D { line.removeLast() }
      let start = line.lastIndex(of: 0x0D).map { $0 + 1 } ?? line.startIndex
      return String(decoding: line[start...], as: UTF8.self)
    }
  }
}
