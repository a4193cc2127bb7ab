// `cairn init`: makes a folder a DVC project, and writes a template's files into it or into one that is there.
internal import ArgumentParser
internal import CairnCore
internal import CairnEngine

struct InitCommand: CairnCommand {
  static let configuration = CommandConfiguration(
    commandName: "init", abstract: "Initialize DVC repository",
    discussion: """
      Makes .dvc, its settings and .dvcignore in the given directory, and adds them to git's index. With --template \
      files for a purpose are written too; a project that is there already is left as it is, and only gets those. A \
      file that is there and differs is replaced under --force alone, which then concerns nothing else.

      Templates:
      \(ProjectTemplate.all.map { "  \($0.name): \($0.summary)" }.joined(separator: "\n"))

      cairn init
      cairn init --subdir services/churn
      cairn init --template ci-check
      """)

  @OptionGroup var global: GlobalOptions
  @Flag(name: .long, help: "Initiate DVC in directory that is not tracked by any SCM tool (e.g. Git).")
  var noScm = false
  @Flag(name: .shortAndLong, help: "Overwrite existing '.dvc/' directory. This operation removes local cache.")
  var force = false
  @Flag(name: .long, help: "Necessary for running this command inside a subdirectory of a parent SCM repository.")
  var subdir = false
  @Option(
    help: ArgumentHelp("Write the files of this template; in a project that is there, only these.", valueName: "name"),
    completion: .list(ProjectTemplate.all.map(\.name)))
  var template: String?
  @Argument(
    help: "Directory to initialize DVC in. Defaults to the current working directory.",
    completion: Completions.folders)
  var directory = "."

  func execute(_ invocation: Invocation) throws -> ExitStatus {
    let here = try Repository.currentDirectory()
    let folder = Repository.normalized(directory.hasPrefix("/") ? directory : Repository.join(here, directory))
    guard let template else {
      try initialise(folder, here, replaces: force, invocation.console)
      return .success
    }
    let chosen = try ProjectTemplate.named(template)
    let existing = subdir ? nil : try? Repository.findRoot(from: folder)
    // Looked at before anything is made, so that a refusal leaves nothing behind.
    let writer = try TemplateWriter(chosen, project: existing?.root ?? folder, usesGit: !noScm, replaces: force)
    if existing == nil { try initialise(folder, here, replaces: false, invocation.console) }
    tell(try writer.write(), in: writer.folder, from: here, chosen, invocation.console)
    return .success
  }

  private func initialise(_ folder: String, _ here: String, replaces: Bool, _ console: Console) throws {
    do {
      try ProjectInitialiser(folder: folder, usesGit: !noScm, isSubfolder: subdir, replaces: replaces)
        .run(workingDirectory: here)
    } catch {
      guard error.code == .initialisation else { throw error }
      throw error.framed("failed to initiate DVC").exiting(.no)
    }
    console.info("Initialized DVC repository.\n")
    if !noScm { console.info("You can now commit the changes to git.\n") }
  }

  private func tell(
    _ files: [(path: String, outcome: TemplateWriter.Outcome)], in folder: String, from here: String,
    _ template: ProjectTemplate, _ console: Console
  ) {
    for file in files {
      let path = Repository.relative(Repository.join(folder, file.path), to: here)
      console.info(PrintableText.line("\(path)\(file.outcome == .kept ? "  is there already" : "  written")"))
    }
    if files.contains(where: { $0.outcome == .written }) { console.info("Next: \(template.nextStep)") }
  }
}
