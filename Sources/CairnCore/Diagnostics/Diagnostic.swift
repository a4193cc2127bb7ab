// The one error that all layers throw: what failed, where, why, and the next step. Printed by `cairn` alone.

package struct Diagnostic: Error, Sendable {
  /// Stable identifier, such as `output-overlap`: a heading in docs/diagnostics.md.
  ///
  /// Each code is declared beside the function that makes its diagnostic.
  package struct Code: RawRepresentable, Hashable, Sendable {
    package let rawValue: String
    package init(rawValue: String) { self.rawValue = rawValue }
    package init(_ rawValue: String) { self.rawValue = rawValue }

    /// A fault with no code of its own: an operating-system call that failed, say.
    package static let io = Code("io")
    package static let usage = Code("usage")
  }

  /// Another place that matters: "first declared here".
  package struct Note: Sendable {
    package var message: String
    package var mark: SourceMark?
    package init(_ message: String, at mark: SourceMark? = nil) {
      self.message = message
      self.mark = mark
    }
  }

  package var code: Code
  /// What failed, in DVC's words where DVC has words; no full stop after a path or identifier.
  package var message: String
  package var mark: SourceMark?
  package var notes: [Note] = []
  /// Outermost first: printed as "what: cause: cause".
  package var causes: [Diagnostic] = []
  /// The next step, as a command where there is one.
  package var hint: String?
  /// DVC prints broken YAML and schema faults without `ERROR:`; false for those.
  package var hasErrorPrefix = true
  /// DVC does not expect this fault: where it passes over its own errors, it stops at this one, says so in front of the
  /// words, and ends with 255.
  package var isUnexpected = false
  /// The exit code of a process that this ends, where it is not 255.
  package var exitCode: Int32?

  package init(_ code: Code, _ message: String, at mark: SourceMark? = nil, hint: String? = nil) {
    self.code = code
    self.message = message
    self.mark = mark
    self.hint = hint
  }

  /// A fault that DVC does not expect; it may have no words.
  package static func unexpected(
    _ code: Code, _ message: String = "", at mark: SourceMark? = nil, hint: String? = nil
  ) -> Diagnostic {
    var diagnostic = Diagnostic(code, message, at: mark, hint: hint)
    diagnostic.isUnexpected = true
    return diagnostic
  }

  /// "what: cause: cause", as DVC joins a chain of exceptions.
  package var fullMessage: String {
    let front = isUnexpected ? ["unexpected error"] + (message.isEmpty ? [] : [message]) : [message]
    // As a cause, an unexpected fault has its own words only: the front is for what ends the whole command.
    return ([front.joined(separator: " - ")] + causes.map(\.causeMessage)).joined(separator: ": ")
  }

  private var causeMessage: String { ([message] + causes.map(\.causeMessage)).joined(separator: ": ") }

  package func because(of error: any Error) -> Diagnostic {
    var copy = self
    if let diagnostic = error as? Diagnostic {
      copy.causes.append(diagnostic)
      if copy.mark == nil { copy.mark = diagnostic.mark }
      if copy.hint == nil { copy.hint = diagnostic.hint }
    } else {
      copy.causes.append(Diagnostic(.io, "\(error)"))
    }
    return copy
  }

  package func hinting(_ hint: String) -> Diagnostic {
    var copy = self
    copy.hint = hint
    return copy
  }

  package func noting(_ message: String, at mark: SourceMark? = nil) -> Diagnostic {
    var copy = self
    copy.notes.append(Note(message, at: mark))
    return copy
  }

  package func located(at mark: SourceMark?) -> Diagnostic {
    var copy = self
    if copy.mark == nil { copy.mark = mark }
    return copy
  }
}
