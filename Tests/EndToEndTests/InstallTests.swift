// `cairn install`: which hooks are written and what they are added to. What hooks do: HookTests.
import CairnTestSupport
import Testing

struct InstallTests {
  private static let hooks = ["post-checkout", "pre-commit", "pre-push"]

  private func hooks(_ repository: TestRepository, in folder: String = ".git/hooks") -> [String] {
    repository.list(folder).filter { !$0.hasSuffix(".sample") }
  }

  @Test("fresh hooks are written without a word, a second time too; --uninstall takes them away")
  func fresh() throws {
    let repository = try TestRepository()
    for _ in 1...2 {
      let result = try repository.cairn("install")
      #expect(result.status == 0 && result.output.isEmpty && result.errors.isEmpty, "\(result)")
      #expect(hooks(repository) == Self.hooks)
    }
    #expect(repository.permissions(".git/hooks/pre-commit") == 0o755)
    #expect(try repository.git("config", "merge.dvc.name") == "DVC merge driver\n")
    let driver = "dvc git-hook merge-driver --ancestor %O --our %A --their %B \n"
    #expect(try repository.git("config", "merge.dvc.driver") == driver)
    let gone = try repository.cairn("install", "--uninstall")
    #expect(gone.status == 0 && gone.output.split(separator: "\n").count == 3, "\(gone)")
    #expect(hooks(repository) == [])
  }

  @Test("where DVC's hooks are, they stay, and Cairn's part comes first, for they end with exec")
  func besideDVC() throws {
    let repository = try TestRepository()
    for hook in Self.hooks {
      try repository.write(".git/hooks/\(hook)", "#!/usr/bin/sh\nexec dvc git-hook \(hook) $@\n")
      try repository.git("-C", repository.root, "config", "core.fileMode", "true")
      try repository.shell("chmod 755 .git/hooks/\(hook)")
    }
    let result = try repository.cairn("install")
    #expect(result.status == 0)
    #expect(
      result.output == """
        Added Cairn's part to the hook that is there: .git/hooks/pre-commit
        Added Cairn's part to the hook that is there: .git/hooks/pre-push

        """)
    let end = "# <<< cairn <<<\nexec dvc git-hook pre-commit $@\n"
    #expect(repository.read(".git/hooks/pre-commit")?.hasSuffix(end) ?? false)
    #expect(repository.read(".git/hooks/post-checkout") == "#!/usr/bin/sh\nexec dvc git-hook post-checkout $@\n")
    #expect(try repository.cairn("install", "--uninstall").status == 0)
    for hook in Self.hooks {
      #expect(repository.read(".git/hooks/\(hook)") == "#!/usr/bin/sh\nexec dvc git-hook \(hook) $@\n")
    }
  }

  @Test("a hook with the line ends of Windows comes back to the byte")
  func windows() throws {
    let repository = try TestRepository()
    let text = "#!/bin/sh\r\ntrue\r\n"
    try repository.write(".git/hooks/pre-commit", text)
    try repository.shell("chmod 755 .git/hooks/pre-commit")
    for _ in 1...2 { #expect(try repository.cairn("install").status == 0) }
    #expect(repository.read(".git/hooks/pre-commit")?.contains("cairn git-hook pre-commit") ?? false)
    #expect(try repository.cairn("install", "--uninstall").status == 0)
    #expect(Array((repository.read(".git/hooks/pre-commit") ?? "").utf8) == Array(text.utf8))
  }

  @Test("--uninstall alone takes the pre-commit tool's entries out, too")
  func uninstallAll() throws {
    let repository = try TestRepository()
    #expect(try repository.cairn("install", "--use-pre-commit-tool").status == 0)
    #expect(try repository.cairn("install").status == 0)
    let gone = try repository.cairn("install", "--uninstall")
    #expect(gone.status == 0 && gone.output.contains("Took Cairn's hooks out of .pre-commit-config.yaml"), "\(gone)")
    #expect(repository.read(".pre-commit-config.yaml")?.contains("cairn") == false)
    #expect(hooks(repository) == [])
  }

  @Test(
    "a hook that cannot be added to is named with the reason, in DVC's words and with its code, and nothing is written",
    arguments: [
      ("#!/usr/bin/env python3\n", "755", "is written for python3, not for a shell"),
      ("#!/bin/sh\ntrue\n", "644", "is not executable, so that git does not run it"),
    ])
  func refused(text: String, mode: String, why: String) throws {
    let repository = try TestRepository()
    try repository.write(".git/hooks/pre-push", text)
    try repository.shell("chmod \(mode) .git/hooks/pre-push")
    let result = try repository.cairn("install")
    #expect(result.status == 1 && result.output.isEmpty, "\(result)")
    #expect(
      result.errors == """
        ERROR: failed to install DVC Git hooks - Hook 'pre-push' already exists and \(why): Cairn cannot add to it. \
        Nothing was written
        hint: let '\(repository.path(".git/hooks/pre-push"))' call `cairn git-hook pre-push "$@"` itself, or move it \
        away; then `cairn install` again

        """)
    #expect(hooks(repository) == ["pre-push"] && repository.read(".git/hooks/pre-push") == text)
  }

  @Test("a link in a hook's place is not followed: what it leads to may be in git")
  func link() throws {
    let repository = try TestRepository()
    try repository.write("scripts/lint", "#!/bin/sh\n")
    try repository.shell("chmod 755 scripts/lint && ln -s ../../scripts/lint .git/hooks/pre-commit")
    let result = try repository.cairn("install")
    let says = "'pre-commit' already exists and is a link to '../../scripts/lint'"
    #expect(result.status == 1 && result.errors.contains(says), "\(result)")
    #expect(repository.read("scripts/lint") == "#!/bin/sh\n")
  }

  @Test("in a linked work tree and with core.hooksPath the hooks go where git looks for them")
  func places() throws {
    let repository = try TestRepository()
    try repository.commit()
    try repository.git("worktree", "add", "--quiet", "../linked")
    #expect(try repository.cairn("install", in: repository.root + "/../linked").status == 0)
    #expect(hooks(repository) == Self.hooks)
    try repository.git("config", "core.hooksPath", "tools/hooks")
    try repository.write("src/a", "")
    #expect(try repository.cairn("install", in: "src").status == 0)
    #expect(hooks(repository, in: "tools/hooks") == Self.hooks)
  }

  @Test("a core.hooksPath of all repositories is refused")
  func sharedHooks() throws {
    let repository = try TestRepository()
    try repository.write("global", "[core]\n\thooksPath = /somewhere/hooks\n")
    let result = try repository.cairn("install", environment: ["GIT_CONFIG_GLOBAL": repository.path("global")])
    #expect(result.status == 1, "\(result)")
    #expect(result.errors.contains("core.hooksPath is '/somewhere/hooks' for all of your repositories"))
    #expect(result.errors.contains("hint: `git config core.hooksPath .git/hooks` gives this repository its own"))
  }

  @Test("--use-pre-commit-tool adds an entry once, keeps the layout, and --uninstall takes it out")
  func preCommitTool() throws {
    let repository = try TestRepository()
    #expect(try repository.cairn("install", "--use-pre-commit-tool").output.isEmpty)
    let alone = try #require(repository.read(".pre-commit-config.yaml"))
    #expect(alone.hasPrefix("repos:\n- repo: local\n  hooks:\n  - id: cairn-post-checkout\n"))
    #expect(hooks(repository) == [])
    let others = """
      # ours
      repos:
        - repo: https://github.com/treeverse/dvc
          rev: 3.67.1
          hooks:
            - id: dvc-pre-commit

      """
    try repository.write(".pre-commit-config.yaml", others)
    for _ in 1...2 { #expect(try repository.cairn("install", "--use-pre-commit-tool").status == 0) }
    let both = try #require(repository.read(".pre-commit-config.yaml"))
    #expect(both.hasPrefix(others + "  - repo: local\n    hooks:\n      - id: cairn-pre-commit\n"), "\(both)")
    #expect(both.contains("entry: cairn git-hook pre-commit --verify-only\n") && !both.contains("post-checkout"))
    #expect(try repository.cairn("install", "--use-pre-commit-tool", "--uninstall").status == 0)
    #expect(repository.read(".pre-commit-config.yaml") == others)
  }

  @Test(
    "a file of the pre-commit tool's that has no place for hooks is refused",
    arguments: [("- a\n", "is no map"), ("repos: x\n", "'repos' in"), ("a: [\n", "is invalid")])
  func badConfiguration(text: String, says: String) throws {
    let repository = try TestRepository()
    try repository.write(".pre-commit-config.yaml", text)
    let result = try repository.cairn("install", "--use-pre-commit-tool")
    #expect(result.status == 1 && result.errors.contains(says), "\(result)")
    #expect(repository.read(".pre-commit-config.yaml") == text)
  }

  @Test("without git, outside of a project and with a wrong word it ends as DVC", .enabled(if: DVCOracle.isAvailable))
  func asDVC() throws {
    for (repository, words) in [
      (try TestRepository(git: false), ["install"]), (try TestRepository(git: false, dvc: false), ["install"]),
      (try TestRepository(), ["install", "more"]), (try TestRepository(), ["install"]),
      (try TestRepository(), ["install", "--use-pre-commit-tool"]), (try TestRepository(), ["install", "-q"]),
    ] {
      let copy = try TestRepository(copying: repository)
      let ours = try repository.run([try CairnBinary.path()] + words)
      let theirs = try copy.run([try #require(DVCOracle.path)] + words)
      #expect(ours.status == theirs.status, "\(words): \(ours) \(theirs)")
      // Of a wrong command line each prints its own usage.
      #expect(ours.output == theirs.output || ours.status == 254, "\(words): \(ours) \(theirs)")
      let lines = [ours, theirs].map { $0.errors.split(separator: "\n").first }
      #expect(lines[0] == lines[1], "\(ours) \(theirs)")
      #expect(hooks(repository) == hooks(copy), "\(words)")
      #expect(repository.read(".git/config") == copy.read(".git/config"), "\(words)")
    }
  }
}
