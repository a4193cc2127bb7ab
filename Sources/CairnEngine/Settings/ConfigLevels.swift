// The four files that DVC's settings come from, each shadowing the one before. Knows where they are and how their
// relative paths are meant; knows nothing of what a setting does.
package import CairnCore
package import CairnFormats
internal import CairnSystem
internal import Glibc

package enum ConfigLevel: String, CaseIterable, Sendable {
  case system, global, repo, local

  /// Belongs to a project, not to the machine or the user.
  package var isOfProject: Bool { self == .repo || self == .local }
}

/// Reads and edits the settings of each level. `dvcFolder` is `nil` outside of a project.
package struct ConfigLevels: Sendable {
  package let dvcFolder: String?
  /// Of a commit: the project's level is read from there, and the one that git does not have is empty.
  private let commit: CommitFiles?

  package init(dvcFolder: String?, files commit: CommitFiles? = nil) {
    self.dvcFolder = dvcFolder
    self.commit = commit
  }

  /// The file of a level; `nil` for a project's level outside of a project.
  package func file(_ level: ConfigLevel) -> String? {
    switch level {
    case .system:
      if let folder = Self.variable("DVC_SYSTEM_CONFIG_DIR") { return Repository.join(folder, "config") }
      let folders = Self.variable("XDG_CONFIG_DIRS") ?? "/etc/xdg"
      let first = folders.split(separator: ":", omittingEmptySubsequences: false).first.map(String.init) ?? ""
      return Repository.join(first.isEmpty ? "/etc/xdg" : first, "dvc/config")
    case .global:
      if let folder = Self.variable("DVC_GLOBAL_CONFIG_DIR") { return Repository.join(folder, "config") }
      return Repository.join(Self.variable("XDG_CONFIG_HOME") ?? Self.expandingHome("~/.config"), "dvc/config")
    case .repo: return dvcFolder.map { Repository.join($0, "config") }
    case .local: return dvcFolder.map { Repository.join($0, "config.local") }
    }
  }

  /// The file as it is; an empty one where there is none.
  package func document(_ level: ConfigLevel) throws(Diagnostic) -> ConfigFile {
    guard let path = file(level) else { throw .outsideOfProject }
    guard let bytes = try bytes(level, path) else { return ConfigFile(path: path) }
    return try ConfigFile(SourceText(path: path, bytes: bytes))
  }

  private func bytes(_ level: ConfigLevel, _ path: String) throws(Diagnostic) -> [UInt8]? {
    guard let commit, level.isOfProject else { return try Files.read(plain: path) }
    return level == .repo ? try commit.read(RepoPath(unchecked: ".dvc/config")) : nil
  }

  /// Changes the file of `level` and writes it, once the settings that result are valid.
  ///
  /// A file that was not there is made even when nothing is left to say, as DVC makes it.
  ///
  /// - Parameter isUnset: an option is taken away. A remote that has none left in this level is one all the same when
  ///   the settings are looked at: without an address from another level they are not valid.
  package func edit(
    _ level: ConfigLevel, isUnset: Bool = false, _ change: (inout ConfigFile) throws(Diagnostic) -> Void
  ) throws(Diagnostic) {
    var file = try document(level)
    guard let path = self.file(level) else { throw .outsideOfProject }
    let before = isUnset ? Self.values(file, path: path) : [:]
    try change(&file)
    var whole = try merged(below: level)
    Self.merge(Self.values(file, path: path), into: &whole)
    for kind in ConfigSchema.namedSections.map({ Value.string($0) }) {
      for name in before[kind]?.map?.keys ?? [] where whole[kind]?.map?[name] == nil {
        Self.merge([kind: .map([name: .map([:])])], into: &whole)
      }
    }
    var warnings: [String] = []
    try ConfigSchema.validate(whole, warnings: &warnings)
    try write(file, to: level)
  }

  /// A new section of DVC's goes behind its kind: `[core]` before `['remote "x"']`, that before `['db "y"']`.
  package static func isBehind(_ section: String) -> (String) -> Bool {
    let order = { (name: String) in
      namedSection(name.lowercased()).flatMap { ConfigSchema.namedSections.firstIndex(of: $0.kind) } ?? -1
    }
    let mine = order(section)
    return { order($0) > mine }
  }

  package func write(_ file: ConfigFile, to level: ConfigLevel) throws(Diagnostic) {
    guard let path = self.file(level) else { throw .outsideOfProject }
    try Files.makeDirectories(Repository.parent(path))
    try AtomicFile.writeKeepingMode(Array(file.text.utf8), to: path, sync: false)
  }

  /// What one level says: section → option → value, keys in lower case, paths absolute. Every section that DVC knows
  /// is there, in DVC's order.
  package func values(_ level: ConfigLevel) throws(Diagnostic) -> ValueMap {
    guard let path = file(level) else { return Self.complete([:]) }
    return try Self.values(document(level), path: path)
  }

  package static func values(_ file: ConfigFile, path: String) -> ValueMap {
    let folder = Repository.parent(path)
    var named = ConfigSchema.namedSections.reduce(into: ValueMap()) { $0[.string($1)] = .map([:]) }
    var result = ValueMap()
    for section in file.sections where section.name.isEmpty {
      for entry in section.entries { result[.string(entry.key.lowercased())] = entry.value }
    }
    for section in file.sections where !section.name.isEmpty {
      var options = ValueMap()
      let lower = section.name.lowercased()
      let name = namedSection(lower)
      for entry in section.entries {
        let key = entry.key.lowercased()
        options[.string(key)] =
          isPath(section: name?.kind ?? lower, key)
          ? entry.value.string.map { .string(resolve($0, in: folder)) } ?? entry.value : entry.value
      }
      if let name {
        var items = named[.string(name.kind)]?.map ?? [:]
        items[.string(name.name)] = .map(options)
        named[.string(name.kind)] = .map(items)
      } else if section.isNested {
        // DVC's settings have no such level: the validator is shown it as the stranger in its parent that it is.
        guard let parent = result.keys.last, var outer = result[parent]?.map else { continue }
        outer[.string(lower)] = .map(options)
        result[parent] = .map(outer)
      } else {
        result[.string(lower)] = .map(options)
      }
    }
    var whole = named
    for (key, value) in result { whole[key] = value }
    return complete(whole)
  }

  /// All levels below `level` (all of them for `nil`), merged.
  package func merged(below level: ConfigLevel? = nil) throws(Diagnostic) -> ValueMap {
    var result = ValueMap()
    for other in ConfigLevel.allCases {
      if other == level { break }
      if file(other) != nil { Self.merge(try values(other), into: &result) }
    }
    return result
  }

  package static func merge(_ update: ValueMap, into result: inout ValueMap) {
    for (key, value) in update {
      if var old = result[key]?.map, let new = value.map {
        merge(new, into: &old)
        result[key] = .map(old)
      } else {
        result[key] = value
      }
    }
  }

  // MARK: - Names and paths

  /// `remote` and `origin` of `remote "origin"`.
  package static func namedSection(_ section: String) -> (kind: String, name: String)? {
    let text = section.trimmingWhitespace
    for kind in ConfigSchema.namedSections where text.hasPrefix(kind) {
      let rest = String(text.dropFirst(kind.count)).trimmingWhitespace
      if rest.count >= 2, rest.first == "\"", rest.last == "\"" { return (kind, String(rest.dropFirst().dropLast())) }
    }
    return nil
  }

  /// The option holds a path, relative to the folder of its file.
  package static func isPath(section: String, _ key: String) -> Bool {
    switch section {
    case "cache": key == "dir"
    case "remote":
      [
        "url", "gdrive_user_credentials_file", "gdrive_service_account_json_file_path", "credentialpath", "configpath",
        "keyfile", "cert_path", "key_path",
      ].contains(key)
    case "machine": key == "startup_script" || key == "setup_script"
    default: false
    }
  }

  private static func resolve(_ path: String, in folder: String) -> String {
    if hasURLScheme(path) || path.hasPrefix("/") { return path }
    let expanded = expandingHome(path)
    return expanded.hasPrefix("/") ? expanded : Repository.normalized(Repository.join(folder, path))
  }

  /// How a path that was typed in `workingDirectory` is written into the file of `level`.
  package func written(_ path: String, to level: ConfigLevel, workingDirectory: String) throws(Diagnostic) -> String {
    guard let file = file(level) else { throw .outsideOfProject }
    if Self.hasURLScheme(path) || path.hasPrefix("/") || Self.expandingHome(path) != path { return path }
    return Repository.relative(Repository.join(workingDirectory, path), to: Repository.parent(file))
  }

  /// `\w+://` stands at the beginning.
  private static func hasURLScheme(_ path: String) -> Bool {
    guard let colon = path.firstRange(of: "://"), colon.lowerBound > path.startIndex else { return false }
    return path[..<colon.lowerBound].allSatisfy { $0.isLetter || $0.isNumber || $0 == "_" }
  }

  package static func expandingHome(_ path: String) -> String {
    guard path == "~" || path.hasPrefix("~/"), let home = variable("HOME") else { return path }
    return home + path.dropFirst()
  }

  static func variable(_ name: String) -> String? {
    guard let value = getenv(name), value.pointee != 0 else { return nil }
    return String(cString: value)
  }

  private static func complete(_ config: ValueMap) -> ValueMap {
    var config = config
    for name in ConfigSchema.sectionNames where config[.string(name)] == nil { config[.string(name)] = .map([:]) }
    return config
  }
}

extension Diagnostic {
  package static var outsideOfProject: Diagnostic { .configuration("Not inside a DVC repo") }
}
