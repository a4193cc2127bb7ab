// A pipeline that counts its executions, and questions to ask of a project after a fault.
import CairnTestSupport
import Foundation
import Testing

/// Stages append their names to a log outside of the project: how often each was executed cannot be hidden.
struct CountedPipeline {
  let repository: TestRepository
  private var log: String { String(repository.root.dropLast("project".count)) + "log" }

  /// - Parameters:
  ///   - width: stages that do not depend on one another, each with one consumer.
  ///   - seconds: how long each lasts.
  init(width: Int = 3, seconds: Double = 0, repository: TestRepository? = nil) throws {
    let repository = try repository ?? TestRepository()
    self.repository = repository
    let pause = seconds > 0 ? "sleep \(seconds) && " : ""
    var text = "stages:\n"
    for number in 1...width {
      text += Self.stage("a\(number)", "echo a\(number) >> \(log) && \(pause)cat in > a\(number)", deps: ["in"])
      text += Self.stage(
        "b\(number)", "echo b\(number) >> \(log) && \(pause)cat a\(number) a\(number) > b\(number)", deps: ["a\(number)"])
    }
    text += Self.stage(
      "end", "echo end >> \(log) && cat \((1...width).map { "b\($0)" }.joined(separator: " ")) > end",
      deps: (1...width).map { "b\($0)" })
    try repository.write("dvc.yaml", text)
    try repository.write("in", "input\n")
    try repository.age("in", bySeconds: 10)
    if repository.exists(".git") { try repository.commit() }
  }

  private static func stage(_ name: String, _ command: String, deps: [String]) -> String {
    "  \(name):\n    cmd: \(command)\n    deps: [\(deps.joined(separator: ", "))]\n    outs: [\(name)]\n"
  }

  /// Of each stage, how often its command was started.
  func executions() -> [String: Int] {
    let text = (try? String(contentsOfFile: log, encoding: .utf8)) ?? ""
    return text.split(separator: "\n").reduce(into: [:]) { $0[String($1), default: 0] += 1 }
  }

  func clearLog() throws { try "".write(toFile: log, atomically: false, encoding: .utf8) }
}

/// What an undisturbed run of the same pipeline leaves.
struct Leavings: Equatable {
  var lock: String
  var ignored: String

  init(_ repository: TestRepository) throws {
    lock = try withoutCommands(#require(repository.read("dvc.lock"), "there is no dvc.lock"))
    ignored = repository.read(".gitignore") ?? ""
  }
}

/// The log's path, which stands in the commands, is another for each project; a long command has several lines.
private func withoutCommands(_ lock: String) -> String {
  var isCommand = false
  return lock.split(separator: "\n").filter { line in
    if line.hasPrefix("    cmd:") { isCommand = true } else if !line.hasPrefix("      ") { isCommand = false }
    return !isCommand
  }.joined(separator: "\n")
}

func json(_ result: CommandResult) throws -> [String: Any] {
  try #require(JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [String: Any], "\(result)")
}

extension TestRepository {
  /// Of each record its stage and result.
  func results() throws -> [(stage: String, result: String)] {
    let runs = try #require(try json(cairn("runs", "list", "--json", "-n", "10000"))["runs"] as? [[String: Any]])
    return runs.compactMap { run in
      guard let stage = run["stage"] as? String, let result = run["result"] as? String else { return nil }
      return (stage, result)
    }
  }

  func count(_ result: String, of stage: String? = nil) throws -> Int {
    try results().count { $0.result == result && (stage == nil || $0.stage == stage) }
  }

  /// Nothing is torn, nothing is missing, and nothing is left to do.
  func expectSound(_ comment: Comment, sourceLocation: SourceLocation = #_sourceLocation) throws {
    let again = try cairn("repro")
    #expect(again.status == 0, "\(comment): \(again)", sourceLocation: sourceLocation)
    #expect(again.output.hasSuffix("Data and pipelines are up to date.\n"), "\(comment): \(again)", sourceLocation: sourceLocation)
    #expect(list(".cairn/journal").isEmpty, "\(comment): a journal is left", sourceLocation: sourceLocation)
    let check = try cairn("runs", "check")
    #expect(check.status == 0, "\(comment): \(check)", sourceLocation: sourceLocation)
  }

  func startRepro(_ arguments: String..., environment: [String: String] = [:]) throws -> RunningCommand {
    try start([try CairnBinary.path(), "repro"] + arguments, environment: environment)
  }

  /// Kills `cairn repro` while a command whose line holds `word` runs, which goes on.
  func killRepro(whileRunning word: String, sourceLocation: SourceLocation = #_sourceLocation) throws {
    let running = try startRepro()
    #expect(eventually { isRunning(word) }, sourceLocation: sourceLocation)
    running.signal(SIGKILL)
    _ = running.wait()
  }

  /// Whether a process whose command line holds `word` is there.
  func isRunning(_ word: String) -> Bool {
    for name in (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? [] where Int32(name) != nil {
      guard let bytes = FileManager.default.contents(atPath: "/proc/\(name)/cmdline") else { continue }
      if String(decoding: bytes, as: UTF8.self).contains(word) { return true }
    }
    return false
  }
}

/// Asks again and again; false when it did not come true in time.
func eventually(_ seconds: Double = 10, _ condition: () throws -> Bool) rethrows -> Bool {
  let end = Date(timeIntervalSinceNow: seconds)
  while Date() < end {
    if try condition() { return true }
    usleep(10_000)
  }
  return try condition()
}

/// How often what is random is tried: more with `CAIRN_FAULT_ROUNDS`.
let rounds = ProcessInfo.processInfo.environment["CAIRN_FAULT_ROUNDS"].flatMap { Int($0) } ?? 5
