// What a failed call of the operating system says to people. Knows errno; knows nothing of what the caller wanted.
package import CairnCore
import Glibc

extension Diagnostic.Code {
  /// Not enough room: on the disk, or under a quota.
  package static let noSpace = Diagnostic.Code("no-space")
  /// Another process holds a lock.
  package static let locked = Diagnostic.Code("locked")
}

extension Diagnostic {
  /// An operating-system call that failed, in Python's words, since DVC prints those:
  /// `[Errno 13] Permission denied: '/abs/path'`.
  ///
  /// `operation` is a verb phrase ("open", "create the folder") and becomes a note, which people see and scripts
  /// that look for DVC's words do not trip over.
  package static func system(_ code: Int32, _ operation: String, _ path: String) -> Diagnostic {
    let kind: Code = code == ENOSPC || code == EDQUOT ? .noSpace : .io
    return Diagnostic(kind, "[Errno \(code)] \(SystemError.text(code)): \(SystemError.quoted(path))")
      .noting("while trying to \(operation)")
  }

  /// The same for a call that needs two paths: `[Errno 18] Invalid cross-device link: 'a' -> 'b'`.
  package static func system(_ code: Int32, _ operation: String, _ path: String, _ other: String) -> Diagnostic {
    var diagnostic = system(code, operation, path)
    diagnostic.message += " -> \(SystemError.quoted(other))"
    return diagnostic
  }

  /// True when the message is that of this errno.
  package func isSystemError(_ code: Int32) -> Bool { message.utf8.starts(with: "[Errno \(code)] ".utf8) }
}

package enum SystemError {
  /// The words of `strerror`, always in English.
  package static func text(_ code: Int32) -> String {
    guard let text = strerror(code) else { return "Unknown error \(code)" }
    return String(cString: text)
  }

  /// The path as Python's `repr` shows it: in single quotes unless it contains some and no double ones.
  static func quoted(_ path: String) -> String {
    let quote: Unicode.Scalar = path.utf8.contains(0x27) && !path.utf8.contains(0x22) ? "\"" : "'"
    var shown = String(quote)
    for scalar in path.unicodeScalars {
      switch scalar {
      case quote, "\\": shown += "\\\(scalar)"
      case "\n": shown += "\\n"
      case "\r": shown += "\\r"
      case "\t": shown += "\\t"
      case _ where scalar.value < 0x20 || scalar.value == 0x7F: shown += "\\x" + hex(scalar.value, 2)
      default:
        if let byte = FileName.escapedByte(scalar) {
          shown += "\\udc" + hex(UInt32(byte), 2)
        } else {
          shown.unicodeScalars.append(scalar)
        }
      }
    }
    return shown + String(quote)
  }

  private static func hex(_ value: UInt32, _ width: Int) -> String {
    let digits = String(value, radix: 16)
    return String(repeating: "0", count: max(0, width - digits.utf8.count)) + digits
  }
}
