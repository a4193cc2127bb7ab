// The words in which a stage fails: DVC's where DVC has words, with the next step behind them.
package import CairnCore

extension Diagnostic.Code {
  package static let commandFailed = Diagnostic.Code("command-failed")
  package static let inputChanged = Diagnostic.Code("input-changed")
  package static let missingDependency = Diagnostic.Code("missing-dependency")
  package static let missingParameter = Diagnostic.Code("missing-parameter")
  package static let missingData = Diagnostic.Code("missing-data")
  package static let aborted = Diagnostic.Code("aborted")
}

extension Diagnostic {
  static func commandFailed(_ observation: Observation, stage: Stage, name: String) -> Diagnostic {
    let line = observation.failedLine ?? stage.lines.last ?? ""
    let failed = "failed to run: \(line)"
    switch observation.end {
    case .exited(let code): return Diagnostic(.commandFailed, "\(failed), exited with \(code)", at: stage.commandMark)
    case .signalled(let signal):
      // Python shows the end by a signal as a negative number, and DVC with it.
      return Diagnostic(.commandFailed, "\(failed), exited with -\(signal)", at: stage.commandMark)
    case .timedOut:
      let limit = stage.settings.timeoutSeconds.map { " of " + Self.time($0) } ?? ""
      return Diagnostic(.commandFailed, "\(failed), stopped after its time limit\(limit)", at: stage.commandMark)
    case .notStarted(let why):
      // The words are the system's, as with DVC; the command may be what is too long to be said again.
      let limit = 128 * 1024
      return Diagnostic(
        .commandFailed, why, at: stage.commandMark,
        hint: line.utf8.count >= limit ? "Linux takes no command of \(limit / 1024) kiB or more: put it into a script" : nil)
    }
  }

  /// `2 h`, `90 s`, `0.5 s`: in the largest unit that it is a whole number of.
  private static func time(_ seconds: Double) -> String {
    for (unit, length) in [("h", 3600.0), ("min", 60.0), ("s", 1.0)] where seconds >= length {
      let count = seconds / length
      if count == count.rounded(), count < 1e15 { return "\(Int(count)) \(unit)" }
    }
    return "\(seconds) s"
  }

  /// Names the way back to outputs that were moved aside.
  func hintingPrevious(_ isKept: Bool, stage: String) -> Diagnostic {
    isKept ? hinting("the previous outputs are kept: `cairn restore --previous \(stage)` brings them back") : self
  }

  static func inputChanged(_ change: InputProof.Change, stage: String, run: String) -> Diagnostic {
    Diagnostic(
      .inputChanged, "\(change.message) while the stage was running; its result is kept, but not trusted",
      hint: "`cairn repro \(stage)` runs it again; `cairn runs salvage \(run) --accept` keeps it as it was made")
  }

  static func missingDependency(_ path: String, isDeadLink: Bool = false, at mark: SourceMark?) -> Diagnostic {
    let what = isDeadLink ? "is not a file or directory" : "does not exist"
    return Diagnostic(.missingDependency, "dependency '\(path)' \(what)", at: mark)
  }

  /// Python's words for the same.
  static func notFound(_ absolute: String, at mark: SourceMark?) -> Diagnostic {
    Diagnostic(.missingDependency, "[Errno 2] No such file or directory: '\(absolute)'", at: mark)
  }

  /// `--pull` for an input that is not there, and that nothing tracks.
  static func notPulled(_ declared: String) -> Diagnostic {
    Diagnostic(.noOutputOrStage, "'\(declared)' does not exist as an output or a stage name in 'dvc.yaml'").because(
      of: Diagnostic(.noSuchStage, "Stage '\(declared)' not found inside 'dvc.yaml' file"))
  }

  static func missingParameters(_ keys: [String], in file: String, at mark: SourceMark?) -> Diagnostic {
    Diagnostic(
      .missingParameter, "Parameters '\(keys.joined(separator: ", "))' are missing from '\(file)'.", at: mark)
  }

  static func missingData(_ paths: [String]) -> Diagnostic {
    Diagnostic(
      .missingData, "missing data 'source\(paths.count > 1 ? "s" : "")': \(paths.joined(separator: ", "))")
  }
}
