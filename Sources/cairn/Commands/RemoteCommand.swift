// `cairn remote add|default|list|modify|remove|rename`: the settings of remotes. Transfers nothing.
internal import ArgumentParser
internal import CairnCore
internal import CairnEngine

struct RemoteCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "remote", abstract: "Set up and manage data remotes",
    subcommands: [
      RemoteAddCommand.self, RemoteDefaultCommand.self, RemoteModifyCommand.self, RemoteListCommand.self,
      RemoteRemoveCommand.self, RemoteRenameCommand.self,
    ])

  /// As a remote's section is named in the file.
  static func section(_ name: String) -> String { "remote \"\(name)\"" }

  static func remotes(_ config: ValueMap) -> ValueMap { config["remote"]?.map ?? [:] }

  static func check(_ name: String, in config: ValueMap) throws(Diagnostic) {
    if remotes(config)[.string(name)] == nil { throw .configuration("remote '\(name)' doesn't exist.") }
  }

  /// The default remote that one level names.
  static func defaultRemote(_ config: ValueMap) -> String? { config["core"]?["remote"]?.string }
}

struct RemoteAddCommand: CairnCommand {
  static let configuration = CommandConfiguration(commandName: "add", abstract: "Add a new data remote")

  @OptionGroup var global: GlobalOptions
  @OptionGroup var levels: ConfigLevelOptions
  @Flag(name: [.customShort("d"), .customLong("default")], help: "Set as default remote.") var isDefault = false
  @Flag(name: .shortAndLong, help: "Force overwriting existing configs") var force = false
  @Argument(help: "Name of the remote", completion: Completions.remotes) var name: String
  @Argument(help: "Remote location.") var url: String

  func execute(_ invocation: Invocation) throws -> ExitStatus {
    let context = try ConfigContext()
    let name = name.lowercased()
    if isDefault { invocation.console.write("Setting '\(name)' as a default remote.") }
    try context.edit(levels.level) { (file) throws(Diagnostic) in
      if let old = RemoteCommand.remotes(file.values(context.levels))[.string(name)] {
        guard force else {
          throw .configuration("remote '\(name)' already exists. Use `-f|--force` to overwrite it.")
        }
        for (key, _) in old.map ?? [:] where key != "url" {
          try file.document.remove(RemoteCommand.section(name), key.string ?? "")
        }
      }
      try context.set(RemoteCommand.section(name), "url", to: url, in: &file)
      if isDefault { try context.set("core", "remote", to: name, in: &file) }
    }
    return .success
  }
}

struct RemoteDefaultCommand: CairnCommand {
  static let configuration = CommandConfiguration(
    commandName: "default", abstract: "Set/unset the default data remote")

  @OptionGroup var global: GlobalOptions
  @OptionGroup var levels: ConfigLevelOptions
  @Flag(name: .shortAndLong, help: "Unset default remote.") var unset = false
  @Argument(help: "Name of the remote", completion: Completions.remotes) var name: String?

  func execute(_ invocation: Invocation) throws -> ExitStatus {
    let context = try ConfigContext()
    guard name != nil || unset else {
      if let found = RemoteCommand.defaultRemote(try context.values(levels.level)) {
        invocation.console.write(found)
        return .success
      }
      invocation.console.write("No default remote set")
      return .no
    }
    let name = name?.lowercased()
    try context.edit(levels.level) { (file) throws(Diagnostic) in
      guard let name, !unset else { return try file.document.remove("core", "remote") }
      let here = RemoteCommand.remotes(file.values(context.levels))
      let below = RemoteCommand.remotes(try context.levels.merged(below: levels.level))
      guard here[.string(name)] != nil || below[.string(name)] != nil else {
        throw .configuration("default remote must be present in remote list.")
      }
      try context.set("core", "remote", to: name, in: &file)
    }
    return .success
  }
}

struct RemoteModifyCommand: CairnCommand {
  static let configuration = CommandConfiguration(
    commandName: "modify", abstract: "Modify the configuration of a data remote")

  @OptionGroup var global: GlobalOptions
  @OptionGroup var levels: ConfigLevelOptions
  @Flag(name: .shortAndLong, help: "Unset option.") var unset = false
  @Argument(help: "Name of the remote", completion: Completions.remotes) var name: String
  @Argument(help: "Name of the option to modify.") var option: String
  @Argument(help: "(optional) Value of the option.") var value: String?

  func execute(_ invocation: Invocation) throws -> ExitStatus {
    let context = try ConfigContext()
    let name = name.lowercased()
    try context.edit(levels.level, isUnset: unset) { (file) throws(Diagnostic) in
      var known = try context.levels.merged(below: levels.level)
      ConfigLevels.merge(file.values(context.levels), into: &known)
      try RemoteCommand.check(name, in: known)
      let section = RemoteCommand.section(name)
      if unset {
        try file.document.remove(section, option)
      } else {
        guard let value else { throw .noValue(option, remote: name) }
        try context.set(section, option, to: value, in: &file)
      }
    }
    return .success
  }
}

struct RemoteListCommand: CairnCommand {
  static let configuration = CommandConfiguration(commandName: "list", abstract: "List all available data remotes")

  @OptionGroup var global: GlobalOptions
  @OptionGroup var levels: ConfigLevelOptions

  func execute(_ invocation: Invocation) throws -> ExitStatus {
    let console = invocation.console
    let config = try ConfigContext().values(levels.level)
    let chosen = RemoteCommand.defaultRemote(config)
    for (name, options) in RemoteCommand.remotes(config) {
      let isDefault = name.string == chosen
      let line = "\(name.string ?? "")\t\(options["url"]?.configText ?? "")" + (isDefault ? "\t(default)" : "")
      for part in TextLayout.wrapped(line, width: TextLayout.outputWidth) {
        console.write(Color.green.paint(part, if: isDefault && console.colorsOutput))
      }
    }
    return .success
  }
}

struct RemoteRemoveCommand: CairnCommand {
  static let configuration = CommandConfiguration(commandName: "remove", abstract: "Remove a data remote")

  @OptionGroup var global: GlobalOptions
  @OptionGroup var levels: ConfigLevelOptions
  @Argument(help: "Name of the remote to remove.", completion: Completions.remotes) var name: String

  func execute(_ invocation: Invocation) throws -> ExitStatus {
    let context = try ConfigContext()
    let name = name.lowercased()
    try context.edit(levels.level) { (file) throws(Diagnostic) in
      try RemoteCommand.check(name, in: file.values(context.levels))
      try file.document.removeSection(RemoteCommand.section(name))
    }
    // A default that names it goes as well, in every level that shadows this one.
    for level in ConfigLevel.allCases.reversed() {
      try context.edit(level) { (file) throws(Diagnostic) in
        if RemoteCommand.defaultRemote(file.values(context.levels)) == name {
          try file.document.remove("core", "remote")
        }
      }
      if level == levels.level ?? .repo { break }
    }
    return .success
  }
}

struct RemoteRenameCommand: CairnCommand {
  static let configuration = CommandConfiguration(commandName: "rename", abstract: "Rename a DVC remote")

  @OptionGroup var global: GlobalOptions
  @OptionGroup var levels: ConfigLevelOptions
  @Argument(help: "Remote to be renamed", completion: Completions.remotes) var name: String
  @Argument(help: "New name of the remote") var new: String

  func execute(_ invocation: Invocation) throws -> ExitStatus {
    let context = try ConfigContext()
    let name = name.lowercased()
    if RemoteCommand.remotes(try context.levels.merged())[.string(new)] != nil {
      throw Diagnostic.configuration("Rename failed. Remote name '\(new)' already exists.")
    }
    let renameDefault = { (file: inout ConfigFileEdit) throws(Diagnostic) in
      if RemoteCommand.defaultRemote(file.values(context.levels)) == name {
        try context.set("core", "remote", to: new, in: &file)
      }
    }
    try context.edit(levels.level) { (file) throws(Diagnostic) in
      try RemoteCommand.check(name, in: file.values(context.levels))
      try file.document.renameSection(RemoteCommand.section(name), to: RemoteCommand.section(new))
      try file.document.moveSectionToEnd(RemoteCommand.section(new))
      try renameDefault(&file)
    }
    for level in ConfigLevel.allCases.reversed() {
      if level == levels.level ?? .repo { break }
      try context.edit(level) { (file) throws(Diagnostic) in try renameDefault(&file) }
    }
    return .success
  }
}

extension Diagnostic {
  fileprivate static func noValue(_ option: String, remote: String) -> Diagnostic {
    .configuration("expected str for dictionary value @ data['remote']['\(remote)']['\(option)']")
  }
}
