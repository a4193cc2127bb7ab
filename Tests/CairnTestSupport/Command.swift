// Runs a program to its end and hands back what it printed. Knows nothing of Cairn or of repositories.
package import Foundation

/// What became of a program that was run.
package struct CommandResult: Sendable, CustomStringConvertible {
  /// The exit code, or 128 + the signal's number, as a shell tells it.
  package let status: Int32
  package let output: String
  package let errors: String

  package var description: String { "status \(status)\n--- output\n\(output)--- errors\n\(errors)---" }
}

/// A program that has been started; its output goes to files, so that nothing blocks however much it prints.
package struct RunningCommand: Sendable {
  package let pid: pid_t
  fileprivate let folder: String

  package func signal(_ number: Int32) { _ = kill(pid, number) }

  /// What has been printed to standard output so far.
  package func outputSoFar() -> String { contents(of: folder + "/out") }

  /// Waits for the end. Must be called exactly once.
  package func wait() -> CommandResult {
    var raw: Int32 = 0
    while waitpid(pid, &raw, 0) == -1, errno == EINTR {}
    let status = raw & 0x7f == 0 ? (raw >> 8) & 0xff : 128 + (raw & 0x7f)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    return CommandResult(
      status: status, output: contents(of: folder + "/out"), errors: contents(of: folder + "/err"))
  }
}

package enum Command {
  /// Starts `arguments` in `folder`. Its standard input is `input`, or empty.
  ///
  /// `environment` replaces the whole environment; `clean` gives a good one to begin with.
  package static func start(
    _ arguments: [String], in folder: String, environment: [String: String] = Command.clean(), input: String = ""
  ) throws -> RunningCommand {
    let scratch = try makeTemporaryFolder("cairn-command-")
    try input.write(toFile: scratch + "/in", atomically: false, encoding: .utf8)
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_addopen(&actions, 0, scratch + "/in", O_RDONLY, 0)
    posix_spawn_file_actions_addopen(&actions, 1, scratch + "/out", O_WRONLY | O_CREAT, 0o600)
    posix_spawn_file_actions_addopen(&actions, 2, scratch + "/err", O_WRONLY | O_CREAT, 0o600)
    // The threads that tests run on block signals; the program shall not inherit that.
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    var none = sigset_t()
    sigemptyset(&none)
    posix_spawnattr_setsigmask(&attributes, &none)
    posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))
    // `env -C` changes the folder and then becomes the program: the pid is the program's own.
    let words = ["/usr/bin/env", "-C", folder] + arguments
    var pid: pid_t = 0
    let error = withCStrings(words) { argv in
      withCStrings(environment.map { "\($0.key)=\($0.value)" }) { envp in
        posix_spawn(&pid, words[0], &actions, &attributes, argv, envp)
      }
    }
    guard error == 0 else { throw TestSupportError("cannot run \(arguments): \(String(cString: strerror(error)))") }
    return RunningCommand(pid: pid, folder: scratch)
  }

  package static func run(
    _ arguments: [String], in folder: String, environment: [String: String] = Command.clean(), input: String = ""
  ) throws -> CommandResult {
    try start(arguments, in: folder, environment: environment, input: input).wait()
  }

  /// This process's environment without what would make a test depend on the machine or on its user.
  package static func clean() -> [String: String] {
    var environment = ProcessInfo.processInfo.environment.filter { key, _ in
      !["DVC_", "CAIRN_", "GIT_"].contains { key.hasPrefix($0) } && key != "PYTHONDONTWRITEBYTECODE"
    }
    environment["DVC_NO_ANALYTICS"] = "1"
    environment["NO_COLOR"] = "1"
    environment["SHELL"] = "/bin/sh"
    environment["GIT_CONFIG_GLOBAL"] = "/dev/null"
    environment["GIT_CONFIG_SYSTEM"] = "/dev/null"
    for role in ["AUTHOR", "COMMITTER"] {
      environment["GIT_\(role)_NAME"] = "Ann"
      environment["GIT_\(role)_EMAIL"] = "ann@example.org"
    }
    return environment
  }
}

package struct TestSupportError: Error, CustomStringConvertible {
  package let description: String
  package init(_ description: String) { self.description = description }
}

private func contents(of path: String) -> String {
  String(decoding: FileManager.default.contents(atPath: path) ?? Data(), as: UTF8.self)
}

private func withCStrings<T>(_ strings: [String], _ body: ([UnsafeMutablePointer<CChar>?]) -> T) -> T {
  let copies = strings.map { strdup($0) } + [nil]
  defer { copies.forEach { free($0) } }
  return body(copies)
}
