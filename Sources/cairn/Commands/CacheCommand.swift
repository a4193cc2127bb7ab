// `cairn cache dir`: where the cache lies.
internal import ArgumentParser
internal import CairnCore
internal import CairnEngine

struct CacheCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "cache", abstract: "Manage cache settings", subcommands: [CacheDirCommand.self])
}

struct CacheDirCommand: CairnCommand {
  static let configuration = CommandConfiguration(
    commandName: "dir", abstract: "Configure cache directory location",
    discussion: """
      A relative path is meant from the current directory and saved relative to the config file.

      cairn cache dir
      cairn cache dir /mnt/shared/dvc-cache
      """)

  @OptionGroup var global: GlobalOptions
  @OptionGroup var levels: ConfigLevelOptions
  @Flag(name: .shortAndLong, help: "Unset option.") var unset = false
  @Argument(help: "Path to cache directory. Without it, the current one is printed.", completion: Completions.folders) var value: String?

  func execute(_ invocation: Invocation) throws -> ExitStatus {
    let context = try ConfigContext()
    let key = try ConfigKey("cache.dir")
    if let value, !unset {
      try context.edit(levels.level) { (file) throws(Diagnostic) in
        try context.set("cache", "dir", to: value, in: &file)
      }
    } else if unset {
      try context.edit(levels.level) { (file) throws(Diagnostic) in
        try key.check(file.values(context.levels))
        try file.document.remove("cache", "dir")
      }
    } else {
      let config = try context.values(levels.level)
      do {
        invocation.console.write(try key.check(config).configText)
      } catch {
        guard let repository = context.repository, levels.level == nil else { throw error }
        invocation.console.write(Repository.join(repository.dvcFolder, "cache"))
      }
    }
    return .success
  }
}
