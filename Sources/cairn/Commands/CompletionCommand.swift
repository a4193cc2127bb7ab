// `cairn completion`: a script that teaches a shell Cairn's commands and options.
internal import ArgumentParser
internal import CairnCore

struct CompletionCommand: CairnCommand {
  static let configuration = CommandConfiguration(
    commandName: "completion", abstract: "Generate shell tab completion",
    discussion: """
      cairn completion bash | sudo tee /etc/bash_completion.d/cairn
      cairn completion -s zsh > ~/.zsh/completions/_cairn
      cairn completion fish > ~/.config/fish/completions/cairn.fish
      """)

  @OptionGroup var global: GlobalOptions
  @Option(name: .shortAndLong, help: "Shell syntax for completions: bash, zsh or fish (default: bash).")
  var shell: String?
  @Argument(help: "The same, as a word.") var name: String?

  func execute(_ invocation: Invocation) throws -> ExitStatus {
    let wanted = shell ?? name ?? "bash"
    guard let shell = CompletionShell(rawValue: wanted) else {
      let words = ["bash", "zsh", "fish"].map { "'\($0)'" }.joined(separator: ", ")
      throw Diagnostic.usage("argument -s/--shell: invalid choice: '\(wanted)' (choose from \(words))")
    }
    invocation.console.write(Completions.script(for: shell))
    return .success
  }
}
