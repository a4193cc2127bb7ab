// Why a command is another one than the lock's: its text was edited, or a value that a template puts into it.
// Says which only where that can be shown; reads git and the files, changes nothing.
import CairnCore
import CairnStore
import CairnSystem
import Synchronization

/// What made a command another one.
enum CommandChange: Sendable {
  /// A value that stands in a file.
  struct Through: Sendable {
    var place: ValuePlace
    /// `nil`: it was not there.
    var was: Value?
    var now: Value?

    var reason: Reason {
      Reason(
        now == nil ? .parameterMissing : was == nil ? .parameterAdded : .parameterChanged, path: place.file.recordPath,
        key: place.steps.joined(separator: "."), was: was.map { .value($0) }, now: now.map { .value($0) })
    }
  }

  /// Its own text.
  case edited
  case values([Through])
  /// The text or a value: nothing tells which.
  case unclear
}

package final class CommandChanges: Sendable {
  private let workspace: Workspace
  let values: CommittedValues
  /// By address, with their templates.
  private let stages = Mutex<[String: Stage]?>(nil)
  private let digests = Mutex<[RepoPath: Digest32?]>([:])

  package init(_ workspace: Workspace, _ values: CommittedValues) {
    self.workspace = workspace
    self.values = values
  }

  /// What made the command of a reason another one; `nil` for a reason that is about something else, or tells of a
  /// command that the stage no longer has.
  ///
  /// - Parameter run: the one that had the old command, where it is known.
  func change(_ reason: Reason, of address: String, since run: RunID?) -> CommandChange? {
    guard reason.kind == .commandChanged, reason.removedDeclarations == nil, case .value(let was)? = reason.was,
      case .value(let now)? = reason.now, let stage = stage(address), stage.kind == .pipeline,
      stage.commandValue.isEqualInPython(to: now)
    else { return nil }
    return change(of: stage, was: was, run: run)
  }

  /// The same of a run that has been: `nil` also where the text may have been another one then.
  func change(_ reason: Reason, of record: RunRecord, since run: RunID?) -> CommandChange? {
    guard let stage = stage(record.stage.address), let written = stage.commandMark.flatMap(values.place),
      let template = stage.commandTemplate,
      hadText(template.written, record, written) ?? isOlder(stage.address.file, than: record)
    else { return nil }
    return change(reason, of: record.stage.address, since: run)
  }

  private func change(of stage: Stage, was: Value, run: RunID?) -> CommandChange {
    guard let template = stage.commandTemplate, !template.sources.isEmpty else { return .edited }
    guard case .texts(let texts) = template.match(was) else { return .edited }
    let places = template.sources.map { values.place(of: $0.mark) }
    guard let written = stage.commandMark.flatMap(values.place) else { return .unclear }
    if let run, let record = (try? workspace.records.record(run)) ?? nil {
      let had = hadText(template.written, record, written)
      if had == false { return .edited }
      if had == true || isOlder(stage.address.file, than: record) {
        guard let old = old(template, written, places, texts, record, was: was) else { return .unclear }
        return Self.values(template, places) { old[$0] }
      }
    }
    if let old = committed(template, written, places, was: was) { return Self.values(template, places) { old[$0] } }
    // HEAD has the lock's command as its text, without a value in it.
    return values.value(written, at: "HEAD")?.isEqualInPython(to: was) ?? false ? .edited : .unclear
  }

  /// Whether the command's text was this one when a run started; `nil` where the record does not tell.
  private func hadText(_ text: Value, _ record: RunRecord, _ written: ValuePlace) -> Bool? {
    guard case .local(let file) = written.file, let commit = record.source.commit, record.source.isDirty != nil
    else { return nil }
    if let changed = record.source.changed[values.search.paths.pathInWorkTree(file)] {
      guard let changed, let now = digest(of: file) else { return nil }
      return now == changed ? true : nil
    }
    // What the commit does not have was not tracked.
    return values.value(written, at: commit).map { $0.isEqualInPython(to: text) }
  }

  /// Of the file as it is now; each of its stages may ask.
  private func digest(of file: RepoPath) -> Digest32? {
    if let known = digests.withLock({ $0[file] }) { return known }
    let bytes = (try? Files.read(plain: workspace.repository.absolute(file))) ?? nil
    let digest = bytes.map { ContentHasher.sha256(of: $0) }
    digests.withLock { _ = $0.updateValue(digest, forKey: file) }
    return digest
  }

  /// Nobody has written or replaced the file since the run began.
  private func isOlder(_ file: RepoPath, than record: RunRecord) -> Bool {
    guard let stat = (try? FileStat.of(workspace.repository.absolute(file), followLinks: false)) ?? nil else { return false }
    return max(stat.modified, stat.changed) < record.execution.started
  }

  /// The values that a run with this text had: of its commit where their files were as that has them, else of its
  /// command, where that can be read in one way only.
  private func old(
    _ template: CommandTemplate, _ written: ValuePlace, _ places: [ValuePlace?], _ texts: [String?],
    _ record: RunRecord, was: Value
  ) -> [Value?]? {
    if let commit = record.source.commit, record.source.isDirty != nil {
      let old = places.indices.map { number in
        places[number].map { values.value($0, at: commit) } ?? template.sources[number].value
      }
      let isClean = places.allSatisfy { place in
        (place?.file).flatMap(values.search.pathInWorkTree).map { record.source.changed[$0] == nil } ?? true
      }
      if isClean, let command = template.command(with: { old[$0] }), command.isEqualInPython(to: was) { return old }
      // A value that was not there then stood somewhere else; of a file that git does not know nothing is said.
      let isElsewhere = zip(places, old).contains { place, value in
        value == nil && (place?.file).map { ((try? values.search.bytes($0, at: commit)) ?? nil) != nil } ?? false
      }
      if isElsewhere { return nil }
    }
    guard !texts.contains(nil) else { return nil }
    // A commit knows their types.
    if let old = committed(template, written, places, was: was),
      texts.indices.allSatisfy({ number in old[number].flatMap { template.text(of: $0, in: number) } == texts[number] })
    {
      return old
    }
    return texts.enumerated().map { number, text in
      let source = template.sources[number]
      return text == template.text(of: source.value, in: number) ? source.value : Self.value(text ?? "", like: source.value)
    }
  }

  private func stage(_ address: String) -> Stage? {
    stages.withLock { stages in
      if stages == nil {
        let loader = PipelineLoader(workspace.repository, workspace.settings, notesUses: true)
        stages = Dictionary(
          loader.loadKeepingFailures().pipeline.stages.map { ($0.address.text(), $0) }, uniquingKeysWith: { first, _ in first })
      }
      return stages?[address]
    }
  }

  /// The values of a commit in which the text was what it is now, and gave the lock's command.
  private func committed(
    _ template: CommandTemplate, _ written: ValuePlace, _ places: [ValuePlace?], was: Value
  ) -> [Value?]? {
    let files = Set(([written] + places.compactMap { $0 }).map(\.file))
      .sorted { $0.recordPath.precedesInBytes($1.recordPath) }
    for commit in values.commits(of: files) {
      guard let text = values.value(written, at: commit), text.isEqualInPython(to: template.written) else { continue }
      let old = places.indices.map { number in
        // What is outside of the work tree is in no commit: as it is now is all that can be said.
        places[number].map { values.value($0, at: commit) } ?? template.sources[number].value
      }
      if let command = template.command(with: { old[$0] }), command.isEqualInPython(to: was) { return old }
    }
    return nil
  }

  /// What of the values of a command was another one; unclear where none was.
  static func values(
    _ template: CommandTemplate, _ places: [ValuePlace?], old: (Int) -> Value?
  ) -> CommandChange {
    var found: [CommandChange.Through] = []
    for (number, source) in template.sources.enumerated() {
      guard let place = places[number] else { continue }
      let was = old(number)
      let changed = leaves(place, was, source.value)
      // An option that is off, or that was and now is not there, is no text of the command.
      let visible = changed.filter { leaf in
        guard let was else { return true }
        let now = was.setting(leaf.place.steps.dropFirst(place.steps.count), to: leaf.now)
        return template.text(of: now, in: number).map { $0 != template.text(of: was, in: number) } ?? true
      }
      found += visible.isEmpty ? changed : visible
    }
    var seen: Set<ValuePlace> = []
    let values = found.filter { seen.insert($0.place).inserted }
    return values.isEmpty ? .unclear : .values(values)
  }

  /// The parts of a value that differ.
  private static func leaves(
    _ place: ValuePlace, _ was: Value?, _ now: Value?
  ) -> [CommandChange.Through] {
    if case .map(let old)? = was, case .map(let new)? = now {
      return (Array(new.keys) + old.keys.filter { new[$0] == nil }).flatMap { key in
        var inner = place
        inner.steps.append(PythonText.str(key))
        return leaves(inner, old[key], new[key])
      }
    }
    if let was, let now, was.isEqualInPython(to: now) { return [] }
    return [CommandChange.Through(place: place, was: was, now: now)]
  }

  /// What a text in a command was, as far as its successor tells its type.
  private static func value(_ text: String, like now: Value) -> Value {
    switch now {
    case .int: Int(text).map { .int($0) } ?? Double(text).map { .float($0) } ?? .string(text)
    case .float: Double(text).map { .float($0) } ?? .string(text)
    case .bool: ["true": true, "false": false][text].map { .bool($0) } ?? .string(text)
    default: .string(text)
    }
  }
}

extension Value {
  /// With another value at the end of these keys; without it for `nil`.
  fileprivate func setting(_ steps: ArraySlice<String>, to value: Value?) -> Value {
    guard let step = steps.first else { return value ?? self }
    guard case .map(var map) = self else { return self }
    let key = map.keys.first { PythonText.str($0).hasSameBytes(as: step) } ?? .string(step)
    if steps.count == 1 {
      map[key] = value
    } else {
      map[key] = (map[key] ?? .emptyMap).setting(steps.dropFirst(), to: value)
    }
    return .map(map)
  }
}
