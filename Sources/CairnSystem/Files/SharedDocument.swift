// A small file that several processes read and write over in turn, each under a lock. Knows nothing of what it says.
import CSystem
package import CairnCore
import Glibc

/// One such file, opened once to be read and then perhaps written.
package struct SharedDocument: ~Copyable {
  private let path: String
  /// -1 where there was no file.
  private let descriptor: Int32
  /// What it held when it was opened; empty where there was no file.
  package let bytes: [UInt8]

  /// Opens the file, if there is one, and reads it.
  package init(_ path: String) throws(Diagnostic) {
    let opened = path.asSystemPath { cairn_open($0, O_RDWR, 0) }
    if opened == -ENOENT {
      self.path = path
      descriptor = -1
      bytes = []
      return
    }
    if opened < 0 { throw Diagnostic.system(-opened, "open it", path) }
    var found: [UInt8] = []
    do throws(Diagnostic) {
      found = try Files.read(opened, path: path)
    } catch {
      close(opened)
      throw error
    }
    self.path = path
    descriptor = opened
    bytes = found
  }

  deinit { if descriptor >= 0 { close(descriptor) } }

  /// Writes over what is there by one call, so that a kill leaves the old text or the new: a longer old text is covered
  /// with spaces. For documents in which trailing space means nothing; saves cutting the file short each time.
  package func overwrite(_ text: [UInt8]) throws(Diagnostic) {
    // An empty file, which a kill would leave between making and filling it, is a broken document to others.
    if descriptor < 0 { return try AtomicFile.write(text, to: path, sync: false) }
    var text = text
    if text.count < bytes.count { text += repeatElement(0x20, count: bytes.count - text.count) }
    let written = restarting(Int32(pwrite(descriptor, text, text.count, 0)))
    if written < 0 { throw Diagnostic.system(-written, "write it", path) }
    if written < text.count { throw Diagnostic.system(ENOSPC, "write it", path) }
  }
}
