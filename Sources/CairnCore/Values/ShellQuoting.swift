// Words as a POSIX shell reads them back. Knows nothing of commands.

/// Python's `shlex.quote`: a word is quoted only where it needs it.
package enum ShellQuoting {
  package static func quote(_ word: String) -> String {
    if word.isEmpty { return "''" }
    let isSafe = word.utf8.allSatisfy { byte in
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"):
        true
      default: "@%+=:,./-_".utf8.contains(byte)
      }
    }
    return isSafe ? word : "'" + word.replacing("'", with: "'\"'\"'") + "'"
  }
}
