// A file from its beginning to its end, in pieces as hashes want them. Knows nothing of hashes.
package import CairnCore
import CairnSystem
import Glibc

/// Some of a file's bytes, which several threads may read until the call that got them returns.
///
/// Guard for `@unchecked`: nobody writes them meanwhile.
package struct FilePieces: @unchecked Sendable {
  private let bytes: UnsafeRawBufferPointer

  /// One after the other; each of 1 MiB, the file's last perhaps shorter.
  package func forEach(_ body: (UnsafeRawBufferPointer) -> Void) {
    for start in stride(from: 0, to: bytes.count, by: ReadBuffer.pieceSize) {
      body(UnsafeRawBufferPointer(rebasing: bytes[start..<min(start + ReadBuffer.pieceSize, bytes.count)]))
    }
  }

  /// - Parameter body: gets 16 MiB at a time.
  /// - Returns: how many bytes there were.
  package static func read(_ path: String, _ body: (FilePieces) -> Void) throws(Diagnostic) -> UInt64 {
    let descriptor = RawFile.open(path, O_RDONLY)
    if descriptor < 0 { throw .system(-descriptor, "open it", path) }
    defer { close(descriptor) }
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 16 * ReadBuffer.pieceSize, alignment: 64)
    defer { buffer.deallocate() }
    var total: UInt64 = 0
    while true {
      let count = ReadBuffer.fill(buffer, from: descriptor)
      if count < 0 { throw .system(Int32(-count), "read it", path) }
      total += UInt64(count)
      if count > 0 { body(FilePieces(bytes: UnsafeRawBufferPointer(rebasing: buffer[..<count]))) }
      if count < buffer.count { return total }
    }
  }
}
