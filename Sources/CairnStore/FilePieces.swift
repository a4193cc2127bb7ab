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
    let buffer = ReadBuffer()
    while true {
      let count = buffer.fill(from: descriptor)
      if count < 0 { throw .system(Int32(-count), "read it", path) }
      if count > 0 { body(buffer.prefix(count)) }
      if count < ReadBuffer.pieceSize { return }
    }
  }
}
