// How people name a run: by the first digits of its record's hash, or as the last one.
package import CairnCore

package enum RunReference: Hashable, Sendable {
  /// Hexadecimal digits, 4 or more, lower case.
  case prefix(String)
  case last(stage: String?)

  /// Reads `7f3a`, `run:7f3a`, `@last`, `@last:train`; `nil` when the word names no run.
  package init?(_ text: String) {
    let word = text.hasPrefix("run:") ? String(text.dropFirst(4)) : text
    if word == "@last" {
      self = .last(stage: nil)
    } else if word.hasPrefix("@last:"), word.utf8.count > 6 {
      self = .last(stage: String(word.dropFirst(6)))
    } else if 4...64 ~= word.utf8.count, word.utf8.allSatisfy({ Self.isHexDigit($0) }) {
      self = .prefix(word.lowercased())
    } else {
      return nil
    }
  }

  private static func isHexDigit(_ byte: UInt8) -> Bool {
    0x30...0x39 ~= byte || 0x41...0x46 ~= byte || 0x61...0x66 ~= byte
  }
}

extension LineageIndex {
  /// The run that a word names.
  ///
  /// Throws `no-such-run` when there is none, `ambiguous-run` (listing them) when several begin so.
  ///
  /// - Parameter folder: where the names of stages start.
  package func resolve(_ word: String, from folder: RepoPath = .root) throws(Diagnostic) -> RunID {
    guard let reference = RunReference(word) else { throw Diagnostic.notARun(word) }
    switch reference {
    case .last(let stage):
      var address: String?
      if let stage { address = try self.address(of: stage, from: folder) }
      guard let run = try last(of: address) else { throw Diagnostic.noRunYet(of: stage) }
      return run
    case .prefix(let prefix):
      let found = try runs(startingWith: prefix)
      if found.count == 1 { return found[0] }
      if found.isEmpty { throw try whyMissing(prefix) }
      throw Diagnostic.ambiguousRun(prefix, try found.map { run throws(Diagnostic) in (run, try store.record(run)) })
    }
  }

  /// As records name the stage (or the pattern) that is called so in a folder, as other commands take it; where no run
  /// has that name, the name is taken as it stands.
  package func address(of stage: String, from folder: RepoPath) throws(Diagnostic) -> String {
    guard !folder.isRoot, let words = try? TargetWords(stage, isPattern: false),
      let file = folder.resolving(words.file ?? "dvc.yaml")
    else { return stage }
    let address = StageAddress(file: file, name: words.name).text()
    return try last(of: address) == nil ? stage : address
  }

  /// A record that is there but cannot be used is named as such.
  private func whyMissing(_ prefix: String) throws(Diagnostic) -> Diagnostic {
    for digest in try store.documents(startingWith: prefix) {
      if try store.presence(of: digest) == .altered { _ = try store.document(digest) }
    }
    if let digest = Digest32(hex: prefix), let tombstone = try store.tombstone(of: digest) {
      return Diagnostic(.noSuchRun, "the record of run '\(prefix)' was erased: \(tombstone.reason)")
    }
    return Diagnostic.noSuchRun(prefix)
  }
}

extension Diagnostic.Code {
  package static let noSuchRun = Diagnostic.Code("no-such-run")
  package static let ambiguousRun = Diagnostic.Code("ambiguous-run")
}

extension Diagnostic {
  fileprivate static func notARun(_ word: String) -> Diagnostic {
    Diagnostic(.noSuchRun, "'\(word)' names no run")
      .hinting("a run is named by 4 or more digits of its record, or as '@last' or '@last:STAGE': see `cairn runs`")
  }

  fileprivate static func noRunYet(of stage: String?) -> Diagnostic {
    Diagnostic(.noSuchRun, stage.map { "stage '\($0)' has no recorded run" } ?? "there is no recorded run")
      .hinting("`cairn repro` records each run")
  }

  fileprivate static func noSuchRun(_ prefix: String) -> Diagnostic {
    Diagnostic(.noSuchRun, "no run begins with '\(prefix)'").hinting("`cairn runs` lists them")
  }

  fileprivate static func ambiguousRun(_ prefix: String, _ runs: [(RunID, RunRecord?)]) -> Diagnostic {
    var diagnostic = Diagnostic(.ambiguousRun, "'\(prefix)' begins the names of \(runs.count) runs")
    for (run, record) in runs.prefix(20) {
      diagnostic = diagnostic.noting("\(run.hex.prefix(12))  \(record?.stage.address ?? "unreadable")")
    }
    return diagnostic.hinting("give more digits")
  }
}
