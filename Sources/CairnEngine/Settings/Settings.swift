// The settings that hold for one invocation: DVC's, merged over its levels and validated, and Cairn's own.
package import CairnCore
internal import CairnFormats
package import CairnSystem
internal import Glibc

/// DVC's settings as merged, with the questions that code asks of them; and `.cairn/config.toml` with
/// `.cairn/config.local.toml` and the `CAIRN_…` variables over it.
package struct Settings: Sendable {
  /// Section → option → text, as merged. Validated: what a section holds is what DVC accepts there.
  package private(set) var config: ValueMap
  /// What is only mentioned: options that DVC calls unsupported.
  package let warnings: [String]
  let dvcFolder: String
  /// When the files were about to be read.
  let loaded: Nanoseconds
  private let own: [Value]

  /// - Parameter files: of a commit: the project's own settings are read from there, and those that are only mine are
  ///   left out. `nil`: all as they are on the disk.
  package static func load(
    _ repository: Repository, at files: CommitFiles? = nil
  ) throws(Diagnostic) -> Settings {
    let loaded = WallClock.now()
    let config = try ConfigLevels(dvcFolder: repository.dvcFolder, files: files).merged()
    var warnings: [String] = []
    try ConfigSchema.validate(config, warnings: &warnings)
    var own: [Value] = []
    for name in files == nil ? ["config.local.toml", "config.toml"] : ["config.toml"] {
      let file = ".cairn/\(name)"
      let found: [UInt8]?
      if let files {
        found = try files.read(RepoPath(unchecked: file))
      } else {
        found = try Files.read(plain: Repository.join(repository.cairnFolder, name))
      }
      guard let bytes = found else { continue }
      let document = try TOMLReader.parse(SourceText(path: file, bytes: bytes))
      try OwnSettings.check(document, in: file)
      own.append(document.value)
    }
    try OwnSettings.checkVariables()
    return Settings(config: config, warnings: warnings, dvcFolder: repository.dvcFolder, loaded: loaded, own: own)
  }

  /// The same with other settings of DVC's laid over them.
  func overlaid(with other: ValueMap) -> Settings {
    var settings = self
    ConfigLevels.merge(other, into: &settings.config)
    return settings
  }

  /// One of DVC's settings; `nil` when no level has it.
  package func text(_ section: String, _ option: String) -> String? {
    config[.string(section)]?[option]?.string
  }

  package func flag(_ section: String, _ option: String, default standard: Bool = false) -> Bool {
    text(section, option).map { $0.lowercased() == "true" } ?? standard
  }

  package func integer(_ section: String, _ option: String) -> Int? {
    text(section, option).flatMap { Int($0.trimmingWhitespace) }
  }

  /// `core.autostage`: what DVC changes is added to git's index.
  package var stagesAutomatically: Bool { flag("core", "autostage") }
  /// `core.no_scm`.
  package var hasNoSCM: Bool { flag("core", "no_scm") }
  /// Where objects lie: in the remote that `cache.local` names, else `cache.dir`, else `.dvc/cache`.
  package var cacheFolder: String {
    if let name = text("cache", "local"), let folder = RemoteFolders(self).folder(of: name) { return folder }
    return text("cache", "dir") ?? Repository.join(dvcFolder, "cache")
  }
  /// `cache.type`, in the order in which they are tried.
  package var linkKinds: [FileLink.Kind] {
    guard let value = config["cache"]?["type"] else { return [.reflink, .copy] }
    return ConfigSchema.linkTypes(value).compactMap(FileLink.Kind.init(rawValue:))
  }
  /// `cache.shared = group`.
  package var isCacheShared: Bool { text("cache", "shared")?.lowercased() == "group" }
  package var defaultRemote: String? { text("core", "remote")?.lowercased() }
  /// The options of each remote, by name in lower case.
  package func remote(_ name: String) -> ValueMap? { config["remote"]?[name.lowercased()]?.map }
  package var remoteNames: [String] { config["remote"]?.map?.keys.compactMap(\.string) ?? [] }
  /// `parsing.bool` and `parsing.list`: how `${}` turns maps into arguments of a command.
  package var parsesBoolsAsPairs: Bool { text("parsing", "bool")?.lowercased() == "boolean_optional" }
  package var appendsLists: Bool { text("parsing", "list")?.lowercased() == "append" }

  // MARK: - Cairn's own

  /// One of Cairn's settings: `cairn("jobs")`, `cairn("verify", "require_records")`.
  ///
  /// The variable (`CAIRN_JOBS`, `CAIRN_VERIFY_REQUIRE_RECORDS`) holds first, then mine, then the team's.
  package func cairn(_ path: String...) -> Value? {
    if let value = Self.value(ofVariable: Self.variable(of: path)) { return value }
    for document in own {
      let found = path.reduce(Value?.some(document)) { $0?[$1] }
      if let found { return found }
    }
    return nil
  }

  /// What each of the files says, mine first, where a list of all counts.
  package func everywhere(_ path: String...) -> [Value] {
    own.compactMap { document in path.reduce(Value?.some(document)) { $0?[$1] } }
  }

  static func variable(of path: [String]) -> String {
    "CAIRN_" + path.joined(separator: "_").uppercased().replacing("-", with: "_")
  }

  static func value(ofVariable name: String) -> Value? {
    ConfigLevels.variable(name).map { text in
      if let number = Int(text) { return .int(number) }
      if let number = Double(text) { return .float(number) }
      return text == "true" || text == "false" ? .bool(text == "true") : .string(text)
    }
  }
}
