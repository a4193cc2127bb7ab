// The answer of `data status` as DVC prints it. Knows nothing of how it was found.
internal import CairnCore
internal import CairnEngine
internal import CairnFormats

struct DataStatusText {
  var status: DataStatus
  var showsUnchanged: Bool

  var json: String {
    var document = ValueMap()
    func add(_ name: Value, _ paths: [String]) {
      if !paths.isEmpty { document[name] = .list(paths.map { .string($0) }) }
    }
    add("not_in_cache", status.notInCache)
    add("not_in_remote", status.notInRemote)
    let parts: [(Value, DataStatus.Changes)] = [("committed", status.committed), ("uncommitted", status.uncommitted)]
    for (name, changes) in parts where !changes.isEmpty {
      document[name] = .map(
        ValueMap(changes.map { (.string($0), .list($1.map(Self.value))) }, uniquingKeysWith: { $1 }))
    }
    add("untracked", status.untracked)
    if showsUnchanged { add("unchanged", status.unchanged) }
    return JSONWriter.text(.map(document))
  }

  private static func value(_ change: DataStatus.Change) -> Value {
    switch change {
    case .path(let path): .string(path)
    case .rename(let old, let new): .map(["old": .string(old), "new": .string(new)])
    }
  }

  private struct Section {
    var title: String
    var hints: [String]
    var color: Color?
    var lines: [String]
  }

  private var sections: [Section] {
    let all = [
      Section(
        title: "Not in cache", hints: ["use \"dvc fetch <file>...\" to download files"], color: .red,
        lines: status.notInCache),
      Section(
        title: "Not in remote", hints: ["use \"dvc push <file>...\" to upload files"], color: .red,
        lines: status.notInRemote),
      Section(
        title: "DVC committed changes", hints: ["git commit the corresponding dvc files to update the repo"],
        color: .green, lines: Self.lines(status.committed)),
      Section(
        title: "DVC uncommitted changes",
        hints: [
          "use \"dvc commit <file>...\" to track changes", "use \"dvc checkout <file>...\" to discard changes",
        ], color: .yellow, lines: Self.lines(status.uncommitted)),
      Section(
        title: "Untracked files",
        hints: ["use \"git add <file> ...\" or \"dvc add <file>...\" to commit to git or to dvc"], color: .cyan,
        lines: status.untracked),
      Section(title: "DVC unchanged files", hints: [], lines: showsUnchanged ? status.unchanged : []),
    ]
    return all.filter { !$0.lines.isEmpty }
  }

  private static func lines(_ changes: DataStatus.Changes) -> [String] {
    changes.flatMap { kind, changes in
      changes.map { change in
        switch change {
        case .path(let path): "\(kind): \(path)"
        case .rename(let old, let new): "\(kind): \(old) -> \(new)"
        }
      }
    }
  }

  func write(to console: Console) {
    let sections = sections
    if sections.isEmpty { console.write("No changes\(status.isEmptyRepository ? " in an empty git repo" : "").") }
    for (number, section) in sections.enumerated() {
      if number > 0 { console.write("") }
      console.write(section.title + ":")
      for hint in section.hints { console.write("  (\(hint))") }
      let text = section.lines.map { "        " + $0 }.joined(separator: "\n")
      console.write(section.color?.paint(text, if: console.colorsOutput) ?? text)
    }
    if status.hasGitChanges {
      let other = sections.isEmpty ? "" : "other "
      let words = "(there are \(other)changes not tracked by dvc, use \"git status\" to see)"
      console.write(Color.blue.paint(words, if: console.colorsOutput))
    }
  }
}
