// Holds the parameters that a stage declares, and their values in the files, against its lock entry.
import CairnCore
import CairnEngine
import CairnFormats
import OrderedCollections

struct ParameterChecks {
  let subject: VerifySubject
  let maker: CheckMaker
  let entry: LockEntry
  private var stage: Stage { _read { yield maker.stage } }
  /// The location is made by a stage, or tracked: its values are not in git.
  let isData: (Location) -> Bool
  /// The bytes that such a file has by its lock, where they happen to be here.
  let data: (Location) -> [UInt8]?
  /// Why git does not have the file, where it does not.
  let absence: (Location) -> Absence?
  /// Why its content is not known, where a pointer stands in its place.
  let pointer: (Location) -> String?

  /// One check for each file of parameters, declared or locked.
  func all() -> [Check] {
    var checks = stage.parameters.map(check)
    let declared = Set(stage.parameters.map { RepoPath(unchecked: $0.declared) })
    // A file of which nothing was locked is nothing to DVC.
    for (file, values) in entry.params where !values.isEmpty && !declared.contains(RepoPath(unchecked: file)) {
      let keys = Array(values.keys)
      checks.append(
        maker.failed(
          .lockParams, path: maker.name(of: maker.location(file, in: stage.wdir), declared: file),
          "\(CheckWords.list(keys)) of \(file) \(keys.count == 1 ? "was" : "were") taken out of its parameters "
            + "after its last run", evidence: keys.joined(separator: "\n")))
    }
    return checks
  }

  private func check(_ set: ParameterSet) -> Check {
    let path = maker.name(of: set.location, declared: set.declared)
    if case .url = set.location {
      return maker.unknown(.lockParams, path: path, "parameters on other machines are not looked at", at: set.mark)
    }
    if isData(set.location) { return made(path, set) }
    let check = tracked(path, set)
    // Looked for only where something is wrong: a file may be a pointer and nothing else.
    guard check.status == .failed, let why = pointer(set.location) else { return check }
    return maker.unknown(
      .lockParams, path: path, "the values of \(set.declared) are not known: \(why)", hint: "run `git lfs pull` first",
      at: set.mark)
  }

  /// In git, or nowhere.
  private func tracked(_ path: String, _ set: ParameterSet) -> Check {
    let reading: CairnEngine.ParameterReading
    do throws(Diagnostic) {
      reading = try subject.loader.parameters.reading(of: set, from: .root)
    } catch {
      if error.code == .parameterFile, let cause = error.causes.first, cause.code == .unknownContent {
        return maker.unknown(.lockParams, path: path, cause.message, at: set.mark)
      }
      // A file of the pipeline that cannot be understood: of no stage, and told once.
      let mark = error.causes.compactMap(\.mark).first
      var check = maker.failed(
        .pipelineValid, path: path, (error.causes.last ?? error).fullMessage, hint: error.hint ?? "mend \(path)",
        at: mark)
      check.stage = nil
      if mark == nil { check.at = CheckPlace(file: path, line: 1) }
      return check
    }
    switch reading {
    case .missing:
      return maker.softened(
        maker.failed(
          .lockParams, path: path, "the parameter file \(set.declared) is gone",
          hint: "bring \(path) back, or take it out of the stage's params", at: set.mark))
    case .values(let values):
      if let absence = absence(set.location) { return maker.softened(absent(path, set, absence)) }
      return compare(set, values, path)
    }
  }

  /// What a stage made says its values where its bytes are here, in the cache or the work tree: no more is looked for.
  private func made(_ path: String, _ set: ParameterSet) -> Check {
    if let bytes = data(set.location), let document = try? ParameterFile.parse(SourceText(path: path, bytes: bytes)),
      let values = try? ParameterFiles.values(of: set, in: document)
    {
      return compare(set, values, path)
    }
    return maker.skipped(.lockParams, path: path, "\(set.declared) is data: its values are not in git", at: set.mark)
  }

  /// The file is on this machine only: who clones the repository does not have it.
  private func absent(_ path: String, _ set: ParameterSet, _ absence: Absence) -> Check {
    if case .ignored = absence {
      return maker.failed(
        .lockParams, path: path, "the parameter file \(set.declared) is ignored by git: nobody else has it",
        hint: "take it out of .gitignore and `git add \(path)`", at: set.mark)
    }
    return maker.failed(
      .lockParams, path: path, "the parameter file \(set.declared) is not in git: nobody else has it",
      hint: "`git add \(path)`", at: set.mark)
  }

  private func compare(_ set: ParameterSet, _ values: [(key: String, value: MarkedValue)], _ path: String) -> Check {
    var alone = stage
    alone.parameters = [set]
    alone.dependencies = []
    alone.isFrozen = false
    let now = OrderedDictionary(values.map { ($0.key, $0.value.value) }, uniquingKeysWith: { $1 })
    let snapshot = StageSnapshot(dependencies: [], parameters: [.values(now)], outputs: nil)
    let staleness = Staleness.judge(alone, lock: entry, now: snapshot)
    let reasons = staleness.reasons.filter {
      [.parameterChanged, .parameterAdded, .parameterMissing].contains($0.kind)
    }
    let removed = removedKeys(set)
    if reasons.isEmpty, removed.isEmpty { return maker.passed(.lockParams, path: path, at: set.mark) }

    let words =
      reasons.map { "\($0.key ?? path) \(Self.words(of: $0.kind))" }
      + removed.map { "\($0) was taken out of the stage's params" }
    let changed = reasons.filter { $0.kind == .parameterChanged }
    let isOne = words.count == 1
    let check = maker.failed(
      .lockParams, path: path, "\(set.declared): " + CheckWords.list(words) + " after its last run",
      was: Self.evidence(changed, isOne) { $0.was }, now: Self.evidence(changed, isOne) { $0.now },
      evidence: (words + changed.flatMap { [Self.whole($0.was), Self.whole($0.now)] }).joined(separator: "\n"),
      at: mark(of: reasons.first, set, values))
    // What was declared, or no longer is, is an edit of the stage and no input that moved on.
    let isMovedOn = removed.isEmpty && !reasons.contains { $0.kind == .parameterAdded }
    return isMovedOn ? maker.softened(check) : check
  }

  private static func whole(_ evidence: Reason.Evidence?) -> String {
    if case .value(let value)? = evidence { CheckWords.whole(value) } else { "nothing" }
  }

  private static func words(of kind: ReasonKind) -> String {
    switch kind {
    case .parameterAdded: "was added"
    case .parameterMissing: "was taken out of the file"
    default: "was edited"
    }
  }

  private static func evidence(
    _ reasons: [Reason], _ isOne: Bool, _ side: (Reason) -> Reason.Evidence?
  ) -> String? {
    if reasons.isEmpty { return nil }
    return CheckWords.short(
      reasons.prefix(5).map { reason in
        var text = "nothing"
        if case .value(let value)? = side(reason) { text = CheckWords.text(value) }
        return isOne ? text : "\(reason.key ?? ""): \(text)"
      }.joined(separator: ", "))
  }

  /// Keys that were locked and are no longer declared.
  private func removedKeys(_ set: ParameterSet) -> [String] {
    guard !set.keys.isEmpty, let locked = entry.params[set.declared] else { return [] }
    let declared = Set(set.keys)
    return locked.keys.filter { !declared.contains($0) }
  }

  /// The key in the parameter file, else the declaration.
  private func mark(
    of reason: Reason?, _ set: ParameterSet, _ values: [(key: String, value: MarkedValue)]
  ) -> SourceMark? {
    guard let key = reason?.key else { return set.mark }
    if reason?.kind != .parameterMissing {
      if let content = (try? subject.loader.parameters.parameters(at: set.location)) ?? nil,
        case .document(let document) = content,
        let found = (try? ParameterLookup.value(key, in: document)) ?? nil, let mark = found.mark
      {
        return mark
      }
      if let value = values.first(where: { $0.key == key })?.value, let mark = value.mark { return mark }
    }
    return set.keyMarks[key] ?? set.mark
  }
}
