// Makes a folder a DVC project, as `dvc init` does, to the byte. Knows nothing of what is said about it.
package import CairnCore
internal import CairnFormats
internal import CairnSystem

package struct ProjectInitialiser {
  /// Absolute, normalised.
  package var folder: String
  package var usesGit: Bool
  package var isSubfolder: Bool
  package var replaces: Bool

  package init(folder: String, usesGit: Bool, isSubfolder: Bool, replaces: Bool) {
    self.folder = folder
    self.usesGit = usesGit
    self.isSubfolder = isSubfolder
    self.replaces = replaces
  }

  /// - Parameter workingDirectory: where names in messages start.
  package func run(workingDirectory: String) throws(Diagnostic) {
    if !usesGit, isSubfolder {
      throw Diagnostic(.usage, "Cannot initialize repo with `--no-scm` and `--subdir`")
    }
    var git: GitRepository?
    if usesGit {
      git = isSubfolder ? try GitRepository.find(from: folder) : try GitRepository.at(folder)
      if git == nil { throw .notUnderGit(folder) }
    }
    let dvc = Repository.join(folder, ".dvc")
    if let git, try !git.ignored([dvc]).isEmpty { throw .folderIsIgnored(dvc) }
    if Files.isDirectory(dvc) {
      guard replaces else { throw .exists(Repository.relative(dvc, to: workingDirectory)) }
      try Files.removeTree(dvc)
    }
    try Files.makeDirectories(Repository.join(dvc, "tmp"))
    let config = Repository.join(dvc, "config")
    try Files.write(usesGit ? "" : "[core]\n    no_scm = True\n", to: config)
    let ignore = Repository.join(folder, ".dvcignore")
    if !Files.exists(ignore) { try Files.write(Self.ignoreText, to: ignore) }
    if let git {
      let gitIgnore = Repository.join(dvc, ".gitignore")
      try Files.write("/config.local\n/tmp\n/cache\n", to: gitIgnore)
      try git.add([config, ignore, gitIgnore].map { Repository.relative($0, to: git.workTree) })
    }
  }

  private static let ignoreText = """
    # Add patterns of files dvc should ignore, which could improve
    # the performance. Learn more at
    # https://dvc.org/doc/user-guide/dvcignore

    """
}

extension Diagnostic.Code {
  package static let initialisation = Diagnostic.Code("initialisation")
}

extension Diagnostic {
  fileprivate static func notUnderGit(_ folder: String) -> Diagnostic {
    Diagnostic(
      .initialisation,
      "\(folder) is not tracked by any supported SCM tool (e.g. Git). Use `--no-scm` if you don't want to use any SCM "
        + "or `--subdir` if initializing inside a subdirectory of a parent SCM repository.")
  }

  fileprivate static func folderIsIgnored(_ folder: String) -> Diagnostic {
    Diagnostic(
      .initialisation,
      "\(folder) is ignored by your SCM tool. \nMake sure that it's tracked, for example, by adding '!.dvc' to .gitignore.")
  }

  fileprivate static func exists(_ folder: String) -> Diagnostic {
    Diagnostic(.initialisation, "'\(folder)' exists. Use `-f` to force.")
  }
}
