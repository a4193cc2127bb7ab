// The folder `.cairn`: settings for the team, and beside them caches and records that ignore themselves.
package import CairnCore
internal import CairnSystem

package enum CairnFolder {
  /// Makes the folder where it is missing, hidden from git (but for `config.toml`) and from DVC's walk.
  package static func prepare(_ repository: Repository) throws(Diagnostic) {
    try write("*\n!config.toml\n", to: Repository.join(repository.cairnFolder, ".gitignore"), in: repository)
    // Outputs that were moved aside may hold a dvc.yaml, which DVC would take for a part of the pipeline.
    try write("*\n", to: Repository.join(repository.cairnFolder, ".dvcignore"), in: repository)
  }

  /// The folder hides itself from git, so that a mere question may leave what it learned there. One that holds the team's
  /// settings alone does not.
  package static func isPrepared(_ repository: Repository) -> Bool {
    Files.exists(Repository.join(repository.cairnFolder, ".gitignore"))
  }

  package static func journals(of repository: Repository) -> String { Repository.join(repository.cairnFolder, "journal") }

  /// Where the command of an attempt may leave what it claims.
  static func claims(_ attempt: String, in cairnFolder: String) -> String { cairnFolder + "/claims-\(attempt).json" }

  /// By this entry of its environment a command is known.
  static func claimsVariable(_ attempt: String, in cairnFolder: String) -> String {
    "CAIRN_CLAIMS=" + claims(attempt, in: cairnFolder)
  }

  private static func write(_ text: String, to path: String, in repository: Repository) throws(Diagnostic) {
    if Files.exists(path) { return }
    try Files.makeDirectories(repository.cairnFolder)
    try AtomicFile.write(Array(text.utf8), to: path, sync: false)
  }
}
