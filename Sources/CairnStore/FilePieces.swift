// A file from its beginning to its end, in pieces as hashes want them. Knows nothing of hashes.
package import CairnCore
import CairnSystem
import Glibc

package enum FilePieces {
  /// `body` gets pieces of 1 MiB, the last one perhaps shorter.
  package static func read(_ path: String, _ body: (UnsafeRawBufferPointer) -> Void) throws(Diagnostic) {
    let descriptor = RawFile.open(path, O_RDONLY)
    if descriptor < 0 { throw .system(-descriptor, "open it", path) }
    defer { close(descriptor) }
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: ReadBuffer.pieceSize, alignment: 16)
    defer { buffer.deallocate() }
    while true {
      var count = 0
      while count < buffer.count {
        let some = Glibc.read(descriptor, buffer.baseAddress! + count, buffer.count - count)
        if some < 0, errno == EINTR { continue }
        if some < 0 { throw .system(errno, "read it", path) }
        if some == 0 { break }
        count += some
      }
      if count > 0 { body(UnsafeRawBufferPointer(rebasing: buffer[..<count])) }
      if count < buffer.count { return }
    }
  }
}
