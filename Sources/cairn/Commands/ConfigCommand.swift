// `cairn config`: reads and writes DVC's settings, and Cairn's own under `cairn.`.
internal import ArgumentParser
internal import CairnCore
internal import CairnEngine
internal import CairnFormats
internal import CairnSystem

struct ConfigCommand: CairnCommand {
  static let configuration = CommandConfiguration(
    commandName: "config", abstract: "Get or set config options",
    discussion: """
      Names are section.option, remote.NAME.option or db.NAME.option as DVC has them; cairn.KEY is kept in
      .cairn/config.toml (--local: .cairn/config.local.toml).

      cairn config cache.type hardlink,copy
      cairn config cairn.jobs 4
      """)

  @OptionGroup var global: GlobalOptions
  @OptionGroup var levels: ConfigLevelOptions

  @Flag(name: .shortAndLong, help: "Unset option.") var unset = false
  @Flag(name: .shortAndLong, help: "List all defined config values.") var list = false
  @Flag(name: .long, help: "Show the source file containing each config value.") var showOrigin = false

  @Argument(help: "Option name (section.option or remote.name.option).") var name: String?
  @Argument(help: "Option value.") var value: String?

  func execute(_ invocation: Invocation) throws -> ExitStatus {
    let console = invocation.console
    let isOwn = name?.hasPrefix("cairn.") ?? false
    let key = isOwn ? nil : try name.map(ConfigKey.init)
    let context = try ConfigContext()
    if showOrigin, value != nil || unset {
      throw Diagnostic.refused(
        "--show-origin can't be used together with any of these options: -u/--unset, value")
    }
    if list {
      if name != nil || value != nil || unset {
        throw Diagnostic.refused("-l/--list can't be used together with any of these options: -u/--unset, name, value")
      }
      try listAll(context, console)
      return .success
    }
    if isOwn { return try OwnConfig(self, context).run(console) }
    guard let key else { throw Diagnostic.refused("name argument is required") }
    if value == nil, !unset {
      try get(key, context, console)
    } else {
      try context.edit(levels.level, isUnset: unset) { (file) throws(Diagnostic) in
        if let value, !unset {
          try context.set(key.sectionText, key.option, to: value, in: &file)
        } else {
          try key.check(file.values(context.levels))
          try file.document.remove(key.sectionText, key.option)
        }
      }
    }
    return .success
  }

  private func listAll(_ context: ConfigContext, _ console: Console) throws {
    for level in try context.asked(levels.level) {
      let prefix = origin(level, context)
      var lines: [String] = []
      Self.flatten(.map(try context.values(level)), "", into: &lines)
      if !lines.isEmpty { console.write(lines.map { prefix + $0 }.joined(separator: "\n")) }
    }
  }

  private static func flatten(_ value: Value, _ name: String, into lines: inout [String]) {
    if let map = value.map {
      for (key, inner) in map {
        flatten(inner, name.isEmpty ? key.string ?? "" : "\(name).\(key.string ?? "")", into: &lines)
      }
    } else {
      lines.append("\(name)=\(value.configText)")
    }
  }

  private func get(_ key: ConfigKey, _ context: ConfigContext, _ console: Console) throws {
    for level in try context.asked(levels.level).reversed() {
      let config = try context.values(level)
      do {
        let value = try key.check(config)
        console.write(origin(level, context) + value.configText)
        return
      } catch {
        if levels.level != nil { throw error }
      }
    }
  }

  private func origin(_ level: ConfigLevel, _ context: ConfigContext) -> String {
    guard showOrigin, let file = context.levels.file(level) else { return "" }
    if level.isOfProject, let root = context.repository?.root { return Repository.relative(file, to: root) + "\t" }
    return file + "\t"
  }
}

/// `section.option`, or `remote.name.option`.
struct ConfigKey {
  /// `remote` or `db`.
  var kind: String?
  var section: String
  var option: String

  init(_ text: String) throws {
    let parts = text.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
    if parts.count == 3, parts[0] == "remote" || parts[0] == "db" {
      (kind, section, option) = (parts[0], parts[1].lowercased(), parts[2].lowercased())
    } else if parts.count == 2 {
      (kind, section, option) = (nil, parts[0].lowercased(), parts[1].lowercased())
    } else {
      throw Diagnostic.usage(
        """
        argument name: name argument should look like remote.name.option or db.name.option or section.option
        """)
    }
  }

  /// As the section is named in the file.
  var sectionText: String { kind.map { "\($0) \"\(section)\"" } ?? section }

  /// The value in `config`; DVC's words when it is not there.
  @discardableResult
  func check(_ config: ValueMap) throws(Diagnostic) -> Value {
    let outer = kind.map { config[.string($0)]?.map ?? [:] } ?? config
    guard let options = outer[.string(section)] else {
      throw .configuration("\(kind ?? "section") '\(section)' doesn't exist")
    }
    guard let value = options[option] else {
      throw .configuration("option '\(option)' doesn't exist in \(kind ?? "section") '\(section)'")
    }
    return value
  }
}

extension Value {
  /// As `config` prints it: a list as Python shows one.
  var configText: String {
    if let items = list { return "[" + items.map { "'\($0.string ?? "")'" }.joined(separator: ", ") + "]" }
    return string ?? ""
  }
}

/// `cairn config cairn.KEY`: the settings that DVC does not know.
private struct OwnConfig {
  let command: ConfigCommand
  let context: ConfigContext

  init(_ command: ConfigCommand, _ context: ConfigContext) {
    self.command = command
    self.context = context
  }

  func run(_ console: Console) throws -> ExitStatus {
    guard let repository = context.repository else { throw Diagnostic.outsideOfProject }
    if let level = command.levels.level, !level.isOfProject {
      throw Diagnostic.refused("cairn.* settings are the project's: they have no \(level) level")
    }
    let path = (command.name ?? "").split(separator: ".").dropFirst().map(String.init)
    if path.isEmpty { throw Diagnostic.usage("argument name: name argument should look like cairn.option") }
    if command.value == nil, !command.unset {
      return try get(path, repository, console)
    }
    let name = command.levels.level == .local ? "config.local.toml" : "config.toml"
    let file = Repository.join(repository.cairnFolder, name)
    let bytes = try Files.read(file)
    if command.unset, bytes == nil { throw Self.missing(path) }
    let source = SourceText(path: ".cairn/\(name)", bytes: bytes ?? [])
    var editor = try TOMLEditor(source)
    if let text = command.value, !command.unset {
      try editor.set(path, to: Self.value(text))
    } else {
      if path.reduce(Value?.some(try TOMLReader.parse(source).value), { $0?[$1] }) == nil { throw Self.missing(path) }
      try editor.remove(path)
    }
    if !command.unset { try OwnSettings.check(TOMLReader.parse(editor.source), in: editor.source.path) }
    try CairnFolder.prepare(repository)
    try AtomicFile.writeKeepingMode(Array(editor.text.utf8), to: file, sync: false)
    return .success
  }

  private func get(_ path: [String], _ repository: Repository, _ console: Console) throws -> ExitStatus {
    let names: [String] =
      switch command.levels.level {
      case .local: ["config.local.toml"]
      case .repo: ["config.toml"]
      default: ["config.local.toml", "config.toml"]
      }
    for name in names {
      let file = Repository.join(repository.cairnFolder, name)
      guard let bytes = try Files.read(file) else { continue }
      let document = try TOMLReader.parse(SourceText(path: ".cairn/\(name)", bytes: bytes)).value
      guard let value = path.reduce(Value?.some(document), { $0?[$1] }) else { continue }
      let prefix = command.showOrigin ? ".cairn/\(name)\t" : ""
      console.write(prefix + (value.string ?? JSONWriter.text(value)))
      return .success
    }
    if command.levels.level != nil { throw Self.missing(path) }
    return .success
  }

  /// A number, truth value, list or table where the text is one in TOML, else the text.
  private static func value(_ text: String) -> Value {
    let source = SourceText(path: "", bytes: Array("x = \(text)\n".utf8))
    guard let document = try? TOMLReader.parse(source).value, let value = document["x"],
      document.map?.count == 1
    else { return .string(text) }
    return value
  }

  private static func missing(_ path: [String]) -> Diagnostic {
    .configuration("option '\(path.joined(separator: "."))' doesn't exist in section 'cairn'")
  }
}
