// Data that DVC put into the workspace and noted outside of the repository.
import CairnTestSupport
import Testing

struct DVCLinkTests {
  @Test(
    "what DVC put into the workspace goes when another commit does not have it, unless somebody edited it",
    .enabled(if: DVCOracle.isAvailable))
  func unused() throws {
    let dvc = try #require(DVCOracle.path)
    let repository = try TestRepository()
    try repository.write("a", "a\n")
    try repository.commit()
    for line in [
      "mkdir -p d/é f && echo 1 > d/é/1 && echo 2 > d/2 && echo 1 > f/1 && echo b > b && echo c > c && echo e > e",
      "'\(dvc)' add -q d f b c e && git add -A && git commit -qm data",
      "git checkout -q HEAD~1 && echo mine > c && rm e && touch -d @1 f/1",
    ] {
      let result = try repository.shell(line)
      #expect(result.status == 0, "\(result)")
    }
    let result = try repository.run([try CairnBinary.path(), "checkout"])
    #expect(result.output.split(separator: "\n").sorted() == ["D       b", "D       d/"], "\(result)")
    #expect(try repository.shell("ls").output == "a\nc\nf\n")
  }

  @Test("data that was moved goes when another commit has it elsewhere", arguments: ["raw", "raw.csv"])
  func moved(name: String) throws {
    let repository = try TestRepository()
    let make = name == "raw" ? "mkdir raw && echo 1 > raw/a" : "echo 1 > raw.csv"
    let program = try CairnBinary.path()
    for line in [
      "\(make) && '\(program)' add -q \(name) && git add -A && git commit -qm 1 && git branch old",
      "'\(program)' move -q \(name) moved && git add -A && git commit -qm 2 && git checkout -q old",
    ] {
      let result = try repository.shell(line)
      #expect(result.status == 0, "\(result)")
    }
    let result = try repository.cairn("checkout")
    #expect(result.output.contains("D       moved") && !repository.exists("moved"), "\(result)")
    #expect(try repository.git("status", "--short") == "")
  }
}
