// What shells offer for arguments. They ask this program or git, and take the rest for names of files.
internal import ArgumentParser

enum Completions {
  static let files = CompletionKind.file()
  static let folders = CompletionKind.directory
  /// Stages and `.dvc` files; in bash, where none of them begins so, files.
  /// Without a pattern for names: fish and zsh complain of one that fits nothing.
  static let stages = CompletionKind.shellCommand(
    "cairn stage list --all --name-only 2>/dev/null; ls 2>/dev/null | grep '[.]dvc$'")
  static let remotes = CompletionKind.shellCommand("cairn remote list 2>/dev/null | cut -d ' ' -f 1")
  static let revisions = CompletionKind.shellCommand("git for-each-ref --format='%(refname:short)' 2>/dev/null")

  /// The script for a shell. ArgumentParser's own offers nothing where it knows nothing, and knows no aliases.
  static func script(for shell: CompletionShell) -> String {
    var script = Cairn.completionScript(for: shell)
    guard shell == .bash else { return script }
    script = script.replacing("complete -o filenames -F", with: "complete -o filenames -o bashdefault -o default -F")
    let call = "        \"_cairn_${subcommand}\"\n        ;;\n"
    var calls = call
    for command in Cairn.configuration.subcommands {
      let configuration = command.configuration
      for alias in configuration.aliases {
        calls += "    \(alias))\n        \"_cairn_\(configuration.commandName ?? "")\"\n        ;;\n"
      }
    }
    return script.replacing(call, with: calls, maxReplacements: 1)
  }
}
