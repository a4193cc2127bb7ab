// `cairn version`: which Cairn this is, on what, and which DVC it follows.
internal import ArgumentParser
internal import CairnCore
internal import CairnEngine
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
    console.write("Compatible with DVC: \(CairnVersion.dvc)")
    var names = utsname()
    if uname(&names) == 0 {
      console.write("Platform: \(Self.text(names.sysname))-\(Self.text(names.release))-\(Self.text(names.machine))")
    }
    // What is above is wanted in a report most of all when the settings cannot be read: they come after it.
    if let repository = try? Repository.findRoot() { _ = try Settings.load(repository) }
    return .success
  }

  private static func text<T>(_ field: T) -> String {
    withUnsafeBytes(of: field) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
  }
}
