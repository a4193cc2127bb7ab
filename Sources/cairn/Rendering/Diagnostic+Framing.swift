// What a command of DVC's makes of an error that ends it: its own words in front, and its exit code.
internal import CairnCore

extension Diagnostic {
  /// `what - cause`, as DVC's commands put their own words before an error's.
  ///
  /// A broken file speaks for itself, and so does what ends every command by a code of its own or unexpectedly.
  func framed(_ what: String) -> Diagnostic {
    guard hasErrorPrefix, exitCode == nil, !isUnexpected else { return self }
    var copy = self
    copy.message = what + " - " + copy.message
    return copy
  }

  /// With `status`, unless the error has a code of its own or DVC does not expect it.
  func exiting(_ status: ExitStatus) -> Diagnostic {
    guard exitCode == nil, !isUnexpected else { return self }
    var copy = self
    copy.exitCode = status.rawValue
    return copy
  }
}
