// Names Cairn's hooks in `.pre-commit-config.yaml`, the pre-commit tool's file. Knows nothing of what the hooks do.
package import CairnCore
internal import CairnFormats
internal import CairnSystem

package struct PreCommitConfig {
  private static let name = ".pre-commit-config.yaml"
  private let path: String
  private let project: String

  /// - Parameters:
  ///   - workTree: the top of git's work tree, where the tool looks for its file.
  ///   - project: the project's root; both absolute.
  package init(workTree: String, project: String) {
    path = Repository.join(workTree, Self.name)
    self.project = Repository.relative(project, to: workTree)
  }

  /// True when it was written; false when the hooks stand there already.
  package func install() throws(Diagnostic) -> Bool {
    guard let source = try read() else {
      try write(YAMLWriter.dump(.map(["repos": .list([entry(isBesideDVC: false)])])))
      return true
    }
    let repositories = try repositories(source)
    if !places(in: repositories).isEmpty { return false }
    let hasDVC = repositories.contains { $0["repo"]?.string?.hasSuffix("treeverse/dvc") ?? false }
    let entry = entry(isBesideDVC: hasDVC && project == ".")
    if try YAMLReader.parse(source).value.isNull {
      // Nothing but comments: they stay above.
      let text = String(decoding: source.bytes, as: UTF8.self)
      let separator = text.isEmpty || text.hasSuffix("\n") ? "" : "\n"
      try write(text + separator + YAMLWriter.dump(.map(["repos": .list([entry])])))
      return true
    }
    var editor = try YAMLEditor(source)
    if repositories.isEmpty {
      try editor.set([.key("repos")], to: .list([entry]))
    } else {
      try editor.set([.key("repos"), .index(repositories.count)], to: entry)
    }
    try write(editor.text)
    return true
  }

  /// True when something was taken out.
  package func uninstall() throws(Diagnostic) -> Bool {
    guard let source = try read() else { return false }
    let places = places(in: try repositories(source))
    if places.isEmpty { return false }
    var editor = try YAMLEditor(source)
    for place in places.reversed() { try editor.remove([.key("repos"), .index(place)]) }
    try write(editor.text)
    return true
  }

  /// Where entries stand that have Cairn's hooks for this project.
  private func places(in repositories: [Value]) -> [Int] {
    repositories.indices.filter { index in
      let entry = repositories[index]
      return entry == self.entry(isBesideDVC: false) || entry == self.entry(isBesideDVC: true)
    }
  }

  private func repositories(_ source: SourceText) throws(Diagnostic) -> [Value] {
    let document = try YAMLReader.parse(source).value
    if document.isNull { return [] }
    guard let map = document.map else { throw .noMap(Self.name) }
    guard let value = map["repos"], !value.isNull else { return [] }
    guard let list = value.list else { throw .noList(Self.name) }
    return list
  }

  /// A repository of the tool's kind `local`: nothing is fetched, and Cairn is found on PATH.
  private func entry(isBesideDVC: Bool) -> Value {
    // DVC's own hooks bring the data already.
    let hooks = GitHook.allCases.filter { !isBesideDVC || $0 != .postCheckout }
    return .map(["repo": "local", "hooks": .list(hooks.map { hook in
      var call = "cairn git-hook \(hook.rawValue)"
      if isBesideDVC { call += " --verify-only" }
      if project != "." { call += " --project " + ShellQuoting.quote(project) }
      return .map([
        "id": .string("cairn-" + hook.rawValue), "name": .string("cairn " + hook.rawValue), "entry": .string(call),
        "language": "system", "pass_filenames": false, "always_run": true, "require_serial": true, "verbose": true,
        "stages": .list([.string(hook.rawValue)]),
      ])
    })])
  }

  private func read() throws(Diagnostic) -> SourceText? {
    guard let bytes = try Files.read(path), !bytes.isEmpty else { return nil }
    return SourceText(path: Self.name, bytes: bytes)
  }

  private func write(_ text: String) throws(Diagnostic) {
    try AtomicFile.writeKeepingMode(Array(text.utf8), to: path, sync: true)
  }
}

extension Diagnostic {
  fileprivate static func noMap(_ file: String) -> Diagnostic {
    Diagnostic(.hook, "'\(file)' is no map: it has no place for hooks")
  }

  fileprivate static func noList(_ file: String) -> Diagnostic {
    Diagnostic(.hook, "'repos' in '\(file)' is no list: there is no place for hooks")
  }
}
