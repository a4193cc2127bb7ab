// Hands a path to a C function as the bytes it stands for. Knows FileName's escapes; knows nothing of what a path means.
import CairnCore
import Glibc

extension String {
  /// Calls `body` with the path's bytes, NUL-terminated; a path that contains NUL gives `-EINVAL` instead.
  ///
  /// `body` returns a negative errno on failure, as CSystem's functions do. A plain path is not copied beyond what
  /// `withCString` does.
  package func asSystemPath(_ body: (UnsafePointer<CChar>) -> Int32) -> Int32 {
    withSystemPath(refused: -EINVAL, body)
  }

  func withSystemPath<Result>(refused: Result, _ body: (UnsafePointer<CChar>) -> Result) -> Result {
    let odd = utf8.withContiguousStorageIfAvailable { bytes in
      guard let start = bytes.baseAddress else { return false }
      return memchr(start, 0, bytes.count) != nil || memchr(start, 0xF4, bytes.count) != nil
    }
    if odd == false { return withCString(body) }
    let bytes = FileName.bytes(self)
    if bytes.contains(0) { return refused }
    return (bytes + [0]).withUnsafeBufferPointer { buffer in
      buffer.withMemoryRebound(to: CChar.self) { chars in
        guard let start = chars.baseAddress else { return refused }
        return body(start)
      }
    }
  }

  /// The text of a NUL-terminated name that the system gave.
  init(systemName name: UnsafePointer<CChar>) { self = Self.systemName(name, count: strlen(name)) }

  static func systemName(_ name: UnsafePointer<CChar>, count: Int) -> String {
    name.withMemoryRebound(to: UInt8.self, capacity: count) { start in
      let bytes = UnsafeBufferPointer(start: start, count: count)
      if memchr(start, 0xF4, count) == nil, let text = String(validating: bytes, as: UTF8.self) { return text }
      return FileName.escape(bytes)
    }
  }
}

/// Repeats a call that returns -1 with EINTR; gives its result or the negative errno.
@inline(__always)
func restarting(_ call: @autoclosure () -> Int32) -> Int32 {
  while true {
    let result = call()
    if result >= 0 { return result }
    if errno != EINTR { return -errno }
  }
}
