// The help of every command, as one golden file, so that no flag changes unseen.
import CairnTestSupport
import Testing

struct HelpTests {
  @Test("--help of every command is the golden file's")
  func help() throws {
    let repository = try TestRepository(git: false, dvc: false)
    var pages: [String] = []
    var waiting: [[String]] = [[]]
    while !waiting.isEmpty {
      let words = waiting.removeFirst()
      let result = try repository.run([try CairnBinary.path()] + words + ["--help"], environment: ["COLUMNS": "100"])
      #expect(result.status == 0, "cairn \(words.joined(separator: " ")) --help: \(result)")
      pages.append("=== cairn \(words.joined(separator: " "))\n\(result.output)")
      waiting += subcommands(in: result.output).map { words + [$0] }
    }
    #expect(pages.count > 2)
    #expect(Golden.difference(pages.joined(separator: "\n"), from: "EndToEnd/help.txt") == nil)
  }

  @Test("help is asked for before another command's words, and is one of them behind those", arguments: ["-h", "--help", "--he"])
  func helpOfStageAdd(word: String) throws {
    let repository = try TestRepository()
    for words in [[word], ["-n", "x", word], [word, "-n", "x", "true"]] {
      let result = try repository.run([try CairnBinary.path(), "stage", "add"] + words)
      #expect(result.status == 0 && result.output.hasPrefix("OVERVIEW: Create stage"), "\(words): \(result)")
    }
    #expect(!repository.exists("dvc.yaml"))
    #expect(try repository.cairn("stage", "add", "-n", "x", "ls", word).status == 0)
    #expect(repository.read("dvc.yaml")?.contains("cmd: ls \(word)") ?? false)
  }

  @Test(
    "bash is offered stages, remotes and files, for a command's other name too",
    arguments: [
      ("repro tr", "train"), ("why ", "train\ntune"), ("rm tu", "tune"), ("add da", "data.csv"),
      ("remote modify st", "store"), ("mv da", "data.csv"),
    ])
  func bash(line: String, offers: String) throws {
    let repository = try TestRepository()
    try repository.write("dvc.yaml", "stages: {train: {cmd: ls}, tune: {cmd: ls}}\n")
    try repository.write("data.csv", "")
    try repository.cairn("remote", "add", "-q", "store", "/nowhere")
    let words = ["cairn"] + line.split(separator: " ", omittingEmptySubsequences: false).map(String.init)
    let script = """
      mkdir bin && ln -s \(try CairnBinary.path()) bin/cairn && PATH=$PWD/bin:$PATH && cd \(repository.root)
      source <(cairn completion bash) && complete -p cairn | grep -q -e '-o default' || echo none
      COMP_WORDS=(\(words.map { "'\($0)'" }.joined(separator: " "))) COMP_CWORD=\(words.count - 1)
      COMP_LINE='cairn \(line)' COMP_POINT=${#COMP_LINE} COMP_TYPE=9
      _cairn cairn "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD-1]}"
      printf '%s\\n' "${COMPREPLY[@]}" | sort -u
      """
    let result = try repository.run(["/bin/bash", "-c", script])
    #expect(result.output.split(separator: "\n").filter { !$0.hasPrefix("-") }.joined(separator: "\n") == offers, "\(result)")
  }

  @Test("fish is offered stages and data, without a complaint where there is none of the latter")
  func fish() throws {
    let repository = try TestRepository()
    try repository.write("dvc.yaml", "stages: {train: {cmd: ls}, tune: {cmd: ls}}\n")
    let script = """
      mkdir -p bin && ln -sf \(try CairnBinary.path()) bin/cairn && set PATH $PWD/bin $PATH && cd \(repository.root)
      cairn completion fish | source && complete -C 'cairn why '
      """
    let fish = ["/usr/bin/env", "fish", "-c", script]
    let stages = try repository.run(fish)
    #expect(stages.output == "train\ntune\n" && stages.errors.isEmpty, "\(stages)")
    try repository.write("a b.dvc", "outs: [{path: a b}]\n")
    let both = try repository.run(fish)
    #expect(both.output == "a b.dvc\ntrain\ntune\n" && both.errors.isEmpty, "\(both)")
  }

  @Test("zsh takes its script")
  func zsh() throws {
    let repository = try TestRepository(git: false, dvc: false)
    try repository.write("_cairn", try repository.cairn("completion", "zsh").output)
    let script = "autoload -Uz compinit && compinit -u -d dump && source ./_cairn && print $_comps[cairn]"
    let result = try repository.run(["/usr/bin/env", "zsh", "-f", "-c", script])
    #expect(result.status == 0 && result.output == "_cairn\n" && result.errors.isEmpty, "\(result)")
  }

  @Test("the first line of every command's help has at most 70 characters and no full stop")
  func firstLines() throws {
    let repository = try TestRepository(git: false, dvc: false)
    let top = try repository.cairn("--help").output
    for name in subcommands(in: top) {
      let help = try repository.cairn(name, "--help", environment: ["COLUMNS": "100"]).output
      let first = help.split(separator: "\n").first { $0.hasPrefix("OVERVIEW: ") }.map { $0.dropFirst(10) } ?? ""
      #expect(!first.isEmpty && first.count <= 70 && !first.hasSuffix("."), "cairn \(name): \(first)")
    }
  }

  /// The names under "SUBCOMMANDS:", aliases left out.
  private func subcommands(in help: String) -> [String] {
    guard let section = help.range(of: "SUBCOMMANDS:\n") else { return [] }
    return help[section.upperBound...].split(separator: "\n", omittingEmptySubsequences: false)
      .prefix { !$0.isEmpty }.filter { $0.hasPrefix("  ") && !$0.hasPrefix("   ") }
      .compactMap { $0.split { " ,".contains($0) }.first.map(String.init) }
  }
}
