// What a command printed, for its record: the first and the last part of it, the gap counted.
import Synchronization

/// Bounded: `limit` bytes of the beginning and as many of the end are kept; updates of a progress line (ended by a
/// carriage return) only in their last state.
package final class LogBuffer: Sendable {
  private let limit: Int
  private let state = Mutex(State())

  private struct State {
    var head: [UInt8] = []
    var tail: [UInt8] = []
    var dropped: UInt64 = 0
  }

  package init(limit: Int = 32 << 20) { self.limit = limit }

  package func append(_ bytes: [UInt8]) {
    guard !bytes.isEmpty else { return }
    state.withLock { state in
      var rest = bytes[...]
      if state.tail.isEmpty, state.head.count < limit {
        let piece = rest.prefix(limit - state.head.count)
        state.head += piece
        rest = rest.dropFirst(piece.count)
      }
      guard !rest.isEmpty else { return }
      state.tail += rest
      // Cut rarely: moving the end forward for each piece would cost its whole length each time.
      if state.tail.count > 2 * limit {
        let excess = state.tail.count - limit
        state.tail.removeFirst(excess)
        state.dropped += UInt64(excess)
      }
    }
  }

  /// The log's bytes and how many are missing from its middle.
  package func contents() -> (bytes: [UInt8], dropped: UInt64) {
    state.withLock { state in
      var tail = state.tail[...]
      var dropped = state.dropped
      if tail.count > limit {
        dropped += UInt64(tail.count - limit)
        tail = tail.suffix(limit)
      }
      var bytes = Self.settled(state.head)
      if dropped > 0 { bytes += Array("\n[\(dropped) bytes left out]\n".utf8) }
      bytes += Self.settled(Array(tail))
      return (bytes, dropped)
    }
  }

  /// The last lines, for messages.
  package func lastLines(_ count: Int) -> [String] {
    let bytes = contents().bytes
    let text = String(decoding: bytes.suffix(8192), as: UTF8.self)
    return text.split(separator: "\n", omittingEmptySubsequences: true).suffix(count).map(String.init)
  }

  /// `a\rb\rc\n` becomes `c\n`; `\r\n` is a line end.
  static func settled(_ bytes: [UInt8]) -> [UInt8] {
    guard bytes.contains(0x0D) else { return bytes }
    var result: [UInt8] = []
    result.reserveCapacity(bytes.count)
    var lineStart = 0
    for (index, byte) in bytes.enumerated() {
      if byte == 0x0D {
        let next = index + 1 < bytes.count ? bytes[index + 1] : 0x0A
        if next != 0x0A { result.removeSubrange(lineStart...) }
        continue
      }
      result.append(byte)
      if byte == 0x0A { lineStart = result.count }
    }
    return result
  }
}
