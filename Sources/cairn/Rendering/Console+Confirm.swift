// Asks the person at the terminal, and takes silence for a no.
internal import Glibc

extension Console {
  /// True when the answer is yes. Without a terminal nobody can be asked, and the answer is no.
  func confirm(_ question: String) -> Bool {
    flush()
    guard isatty(STDOUT_FILENO) == 1, isatty(STDIN_FILENO) == 1 else { return false }
    while true {
      write("\(question) [y/n] ", terminator: "")
      flush()
      guard let answer = readLine()?.lowercased() else { return false }
      if ["y", "yes"].contains(answer) { return true }
      if ["n", "no"].contains(answer) { return false }
      write("Your response must be one of: ['yes', 'no', 'y', 'n']. Please try again.")
    }
  }
}
