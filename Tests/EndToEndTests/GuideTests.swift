// Plays the consoles that docs/guide.md marks as played, and compares what they say. Knows nothing of their subject.
import CairnTestSupport
import Foundation
import Testing

struct GuideTests {
  private struct Step {
    var command: String
    var says: String
  }

  /// The commands between the marks, in order; all blocks are one session.
  private func steps() throws -> [Step] {
    let text = try PackageFiles.text("docs/guide.md")
    let begin = try #require(text.range(of: "<!-- played"))
    let end = try #require(text.range(of: "<!-- /played -->"))
    var steps: [Step] = []
    var isInside = false
    for line in text[begin.upperBound..<end.lowerBound].split(separator: "\n", omittingEmptySubsequences: false) {
      if line.hasPrefix("```") {
        isInside = line == "```console"
      } else if isInside, line.hasPrefix("$ ") {
        steps.append(Step(command: String(line.dropFirst(2)), says: ""))
      } else if isInside, !steps.isEmpty {
        steps[steps.count - 1].says += line + "\n"
      }
    }
    return steps
  }

  @Test("the walk through examples/ci in docs/guide.md says what the guide says")
  func walk() throws {
    let repository = try TestRepository(git: false, dvc: false)
    let steps = try steps()
    #expect(steps.count > 10)
    try repository.shell("mkdir bin && ln -s '\(try CairnBinary.path())' bin/cairn")
    let mark = "%%%% the next command"
    // One shell, as a reader has it: the folder and the exit code go on from step to step.
    var script = "mkdir work && cd work && ln -s '\(PackageFiles.path("examples"))' examples\nexec 2>&1\n"
    for step in steps { script += "\(step.command)\nstatus=$?; echo '\(mark)'; (exit $status)\n" }
    let path = repository.path("bin") + ":" + (ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin")
    let result = try repository.run(["/bin/bash", "-c", script], environment: ["PATH": path])
    let answers = result.output.components(separatedBy: mark + "\n")
    #expect(answers.count == steps.count + 1, "\(result)")
    for (step, answer) in zip(steps, answers) {
      // How many checks there are is no subject of the guide.
      #expect(plain(answer) == plain(step.says), "$ \(step.command)")
    }
  }

  private func plain(_ text: String) -> String {
    text.replacingOccurrences(of: #"\d+ passed"#, with: "N passed", options: .regularExpression)
  }
}
