// What stands behind a descriptor when that is a terminal. Knows nothing of what is printed.
import CSystem
import Glibc

package enum Terminal {
  package static func isTerminal(_ descriptor: Int32) -> Bool { isatty(descriptor) == 1 }

  /// Columns and rows; `nil` when it is no terminal or does not know its size.
  package static func size(_ descriptor: Int32 = STDOUT_FILENO) -> (columns: Int, rows: Int)? {
    var columns: Int32 = 0
    var rows: Int32 = 0
    guard cairn_window_size(descriptor, &columns, &rows) == 0, columns > 0 else { return nil }
    return (Int(columns), Int(rows))
  }

  /// The width to lay text out for: `COLUMNS`, else the terminal's, else 80, as Python's `get_terminal_size`.
  package static func width(_ descriptor: Int32 = STDOUT_FILENO) -> Int {
    if let text = Environment.value("COLUMNS"), let columns = Int(text), columns > 0 { return columns }
    return size(descriptor)?.columns ?? 80
  }

  /// Is it a terminal on which a line can be written over?
  package static func allowsMovement(_ descriptor: Int32) -> Bool {
    isTerminal(descriptor) && !["dumb", ""].contains(Environment.value("TERM") ?? "")
  }

  /// May colour and cursor movement be sent there?
  package static func allowsColor(_ descriptor: Int32) -> Bool {
    allowsColor(isTerminal: isTerminal(descriptor)) { Environment.value($0) }
  }

  /// `NO_COLOR` counts when it is set and not empty (no-color.org), `CAIRN_NO_COLOR` too.
  static func allowsColor(isTerminal: Bool, _ variable: (String) -> String?) -> Bool {
    guard isTerminal, variable("TERM") != "dumb" else { return false }
    return ["NO_COLOR", "CAIRN_NO_COLOR"].allSatisfy { (variable($0) ?? "").isEmpty }
  }
}
