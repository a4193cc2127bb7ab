// A run that goes on where another one was cut short: locks and `.gitignore` end as if there had been one serial run.
import CairnTestSupport
import Testing

struct GoingOnTests {
  /// `second` fails until there is a file `go`; meanwhile `third` and `fourth` end well beside it.
  private func failed() throws -> TestRepository {
    let repository = try TestRepository()
    func stage(_ name: String, _ command: String, deps: String = "") -> String {
      "  \(name):\n    cmd: \(command) && echo \(name) > \(name)\n\(deps)    outs: [\(name)]\n"
    }
    try repository.write(
      "dvc.yaml",
      "stages:\n" + stage("first", "true") + stage("second", "sleep 0.5 && test -e go", deps: "    deps: [first]\n")
        + stage("third", "true") + stage("fourth", "true", deps: "    deps: [third]\n"))
    let result = try repository.cairn("repro", "-j", "2")
    #expect(result.status == 255, "\(result)")
    #expect(names(in: repository) == ["first", "third", "fourth"])
    #expect(repository.read(".gitignore") == nil)
    try repository.write("go", "")
    return repository
  }

  private func names(in repository: TestRepository) -> [String] {
    (repository.read("dvc.lock") ?? "").split(separator: "\n").compactMap { line in
      line.hasPrefix("  ") && !line.hasPrefix("   ") ? String(line.dropFirst(2).dropLast()) : nil
    }
  }

  @Test("after a failure: what ended well behind it comes in its place, and gets the lines that went")
  func failure() throws {
    let repository = try failed()
    let result = try repository.cairn("repro", "-j", "2")
    #expect(result.status == 0, "\(result)")
    #expect(result.output.contains("Stage 'fourth' didn't change, skipping"), "\(result)")
    #expect(names(in: repository) == ["first", "second", "third", "fourth"])
    // As DVC, which never gives back the line of a stage before the failure.
    #expect(repository.read(".gitignore") == "/second\n/third\n/fourth\n")
    #expect(!repository.exists(".cairn/unfinished.json"))
    try repository.expectSound("went on")
  }

  @Test("a lock that somebody else has written since keeps its order")
  func changedMeanwhile() throws {
    let repository = try failed()
    try repository.write("dvc.lock", #require(repository.read("dvc.lock")) + "# seen\n")
    #expect(try repository.cairn("repro", "-j", "2").status == 0)
    #expect(names(in: repository) == ["first", "third", "fourth", "second"])
  }

  @Test("a run of other stages leaves the rest of the order to whoever does it")
  func narrower() throws {
    let repository = try failed()
    #expect(try repository.cairn("repro", "first").status == 0)
    #expect(try repository.cairn("repro", "-j", "2").status == 0)
    #expect(names(in: repository) == ["first", "second", "third", "fourth"])
  }

  @Test("a file of ours that is damaged costs the order alone", arguments: ["", "{", "[1]", #"{"schema": "cairn.unfinished/v1", "added": 3}"#])
  func damaged(_ text: String) throws {
    let repository = try failed()
    try repository.write(".cairn/unfinished.json", text)
    #expect(try repository.cairn("repro", "-j", "2").status == 0)
    #expect(Set(names(in: repository)) == ["first", "second", "third", "fourth"])
    try repository.expectSound("damaged")
  }
}
