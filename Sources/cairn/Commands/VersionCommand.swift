// `cairn version`: which Cairn this is, on what, and which DVC it follows.
internal import ArgumentParser
internal import CairnCore
internal import CairnEngine
internal import CairnSystem
internal import Glibc

struct VersionCommand: CairnCommand {
  static let configuration = CommandConfiguration(
    commandName: "version", abstract: "Display Cairn's version and the system it runs on",
    discussion: "What to put into a report of a fault. `cairn --version` prints the number alone.",
    aliases: ["doctor"])

  @OptionGroup var global: GlobalOptions

  func execute(_ invocation: Invocation) throws -> ExitStatus {
    let console = invocation.console
    console.write("Cairn version: \(CairnVersion.current)")
    let version = "DVC version: \(CairnVersion.dvc) (cairn)"
    console.write(version)
    console.write(String(repeating: "-", count: version.count))
    var names = utsname()
    if uname(&names) == 0 {
      console.write("Platform: \(Self.text(names.sysname))-\(Self.text(names.release))-\(Self.text(names.machine))")
    }
    console.write("Subprojects:\n\tcairn = \(CairnVersion.current)")
    console.write("Supports:\n\tlocal")
    let levels = ConfigLevels(dvcFolder: nil)
    let folders = [("Global", ConfigLevel.global), ("System", .system)].map { name, level in
      "\t\(name): \(levels.file(level).map(Repository.parent) ?? "None")"
    }
    console.write((["Config:"] + folders).joined(separator: "\n"))
    // What is above is wanted in a report most of all when the settings cannot be read: they come after it.
    guard let repository = try? Repository.findRoot() else { return .success }
    let settings = try Settings.load(repository)
    let mounts = MountTable()
    // It may not be there yet, and is not made for a look.
    let cache = Repository.join(settings.cacheFolder, "files/md5")
    if Files.exists(cache) {
      let links = FileLink.works(from: cache, to: repository.root).map(\.rawValue)
      console.write("Cache types: \(links.joined(separator: ", "))")
      console.write("Cache directory: \(mounts.fileSystem(of: cache))")
    } else {
      console.write("Cache types: <https://error.dvc.org/no-dvc-cache>")
    }
    console.write("Caches: local")
    let remotes = settings.remoteNames.map { Self.scheme(of: $0, in: settings) }
    console.write("Remotes: \(remotes.isEmpty ? "None" : remotes.joined(separator: ", "))")
    console.write("Workspace directory: \(mounts.fileSystem(of: repository.root))")
    console.write("Repo: \(Self.kind(of: repository, settings))")
    return .success
  }

  /// `local` for a folder of this machine, else what stands before `://`.
  private static func scheme(of name: String, in settings: Settings) -> String {
    if RemoteFolders(settings).folder(of: name) != nil { return "local" }
    let url = settings.remote(name)?["url"]?.string ?? ""
    return url.firstRange(of: "://").map { String(url[..<$0.lowerBound]) } ?? "local"
  }

  private static func kind(of repository: Repository, _ settings: Settings) -> String {
    if settings.hasNoSCM { return "dvc (no_scm)" }
    guard let git = (try? GitRepository.find(from: repository.root)) ?? nil else { return "dvc, git (broken)" }
    return git.workTree == repository.root ? "dvc, git" : "dvc (subdir), git"
  }

  private static func text<T>(_ field: T) -> String {
    withUnsafeBytes(of: field) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
  }
}
