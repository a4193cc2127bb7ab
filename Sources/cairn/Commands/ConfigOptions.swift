// Which level of the settings a command means: shared by `config`, `cache dir` and `remote`.
internal import ArgumentParser
internal import CairnCore
internal import CairnEngine
internal import CairnFormats

struct ConfigLevelOptions: ParsableArguments {
  enum Level: String, EnumerableFlag {
    case global, system, project, local

    static func help(for value: Level) -> ArgumentHelp? {
      switch value {
      case .global: "Use global config."
      case .system: "Use system config."
      case .project: "Use project config (.dvc/config)."
      case .local: "Use local config (.dvc/config.local)."
      }
    }
  }

  @Flag var chosen: Level?

  var level: ConfigLevel? {
    switch chosen {
    case .global: .global
    case .system: .system
    case .project: .repo
    case .local: .local
    case nil: nil
    }
  }
}

/// The settings as seen from the working directory, inside of a project or not.
struct ConfigContext {
  let repository: Repository?
  let levels: ConfigLevels
  let workingDirectory: String

  init() throws {
    let repository: Repository?
    do { repository = try Repository.findRoot() } catch {
      guard error.code == .notARepository else { throw error }
      repository = nil
    }
    self.repository = repository
    levels = ConfigLevels(dvcFolder: repository?.dvcFolder)
    workingDirectory = try Repository.currentDirectory()
    // A file that cannot be read is told before anything else is looked at.
    _ = try levels.merged()
  }

  /// The levels that a question without a level is put to, in the order in which they shadow each other.
  func asked(_ level: ConfigLevel?) throws -> [ConfigLevel] {
    if let level {
      if repository == nil, level.isOfProject { throw Diagnostic.outsideOfProject }
      return [level]
    }
    return ConfigLevel.allCases.filter { repository != nil || !$0.isOfProject }
  }

  /// One level, or all of them merged.
  func values(_ level: ConfigLevel?) throws -> ValueMap {
    if let level {
      if repository == nil, level.isOfProject { throw Diagnostic.outsideOfProject }
      return try levels.values(level)
    }
    return try levels.merged()
  }

  /// Sets an option in a file that is being edited; paths become relative to the file.
  func set(_ section: String, _ key: String, to value: String, in file: inout ConfigFileEdit) throws(Diagnostic) {
    let kind = ConfigLevels.namedSection(section)?.kind ?? section
    let text =
      ConfigLevels.isPath(section: kind, key)
      ? try levels.written(value, to: file.level, workingDirectory: workingDirectory) : value
    try file.document.set(section, key, to: text, before: ConfigLevels.isBehind(section))
  }

  /// Edits the file of a level (default: the project's); `isUnset` when that takes an option away.
  func edit(
    _ level: ConfigLevel?, isUnset: Bool = false, _ change: (inout ConfigFileEdit) throws(Diagnostic) -> Void
  ) throws {
    let level = level ?? .repo
    if repository == nil, level.isOfProject { throw Diagnostic.outsideOfProject }
    try levels.edit(level, isUnset: isUnset) { (document) throws(Diagnostic) in
      var edit = ConfigFileEdit(level: level, document: document)
      try change(&edit)
      document = edit.document
    }
  }
}

/// A settings file while it is changed.
struct ConfigFileEdit {
  let level: ConfigLevel
  var document: ConfigFile

  func values(_ levels: ConfigLevels) -> ValueMap { ConfigLevels.values(document, path: levels.file(level) ?? "") }
}

extension Diagnostic {
  /// A wrong command line.
  static func usage(_ message: String) -> Diagnostic {
    var diagnostic = Diagnostic(.usage, message)
    diagnostic.exitCode = ExitStatus.usage.rawValue
    return diagnostic
  }

  /// `argument` is refused for a reason that DVC tells with exit code 1.
  static func refused(_ message: String) -> Diagnostic {
    var diagnostic = Diagnostic(.usage, message)
    diagnostic.exitCode = ExitStatus.no.rawValue
    return diagnostic
  }
}
