// Stages that are looked at before they have a slot: that must show in nothing but the time.
import CairnTestSupport
import Testing

struct AheadTests {
  /// `first` ends at once, so that what follows `second` and `third` is prepared while these two run.
  private func project(second: String, third: String, fourth: String) throws -> TestRepository {
    let repository = try TestRepository()
    try repository.write("source", "old\n")
    try repository.age("source", bySeconds: 60)
    try repository.write(
      "dvc.yaml",
      """
      stages:
        first:
          cmd: echo > first
          outs: [first]
        second:
          cmd: \(second)
        third:
          cmd: \(third)
        fourth:
          cmd: \(fourth)
          deps: [source]
          outs: [fourth]

      """)
    return repository
  }

  @Test("an input that another command changes meanwhile is looked at again")
  func changed() throws {
    let repository = try project(
      second: "sleep 0.5; echo new > source", third: "sleep 1", fourth: "cat source > fourth")
    let result = try repository.cairn("repro", "-j", "2")
    #expect(result.status == 0, "\(result)")
    #expect(repository.read("fourth") == "new\n")
    let again = try repository.cairn("repro", "-s", "fourth")
    #expect(again.output.contains("Stage 'fourth' didn't change, skipping"), "\(again)")
  }

  @Test("what comes after a failure does not start, prepared or not")
  func failed() throws {
    let repository = try project(second: "sleep 0.5; false", third: "sleep 1", fourth: "cat source > fourth")
    let result = try repository.cairn("repro", "-j", "2")
    #expect(result.status == 255, "\(result)")
    #expect(!repository.exists("fourth"))
    #expect(try !repository.results().contains { $0.stage == "fourth" })
  }

  @Test("a command may reproduce a stage that is prepared")
  func within() throws {
    let repository = try project(
      second: "sleep 0.5; '\(try CairnBinary.path())' repro fourth", third: "sleep 1.5",
      fourth: "cat source > fourth; echo once >> count")
    let result = try repository.cairn("repro", "-j", "2")
    #expect(result.status == 0, "\(result)")
    #expect(repository.read("count") == "once\n")
  }

  @Test("there are never more commands at once than jobs")
  func slots() throws {
    let repository = try TestRepository()
    let stages = (1...60).map { number in
      "  s\(number):\n    cmd: touch running/\(number); ls running | wc -l >> counts; rm running/\(number)\n"
    }
    try repository.write("dvc.yaml", "stages:\n" + stages.joined())
    try repository.write("running/.keep", "")
    let result = try repository.cairn("repro", "-j", "2")
    #expect(result.status == 0, "\(result)")
    let counts = (repository.read("counts") ?? "").split(separator: "\n").compactMap { Int($0) }
    #expect(counts.count == 60)
    #expect(counts.max() == 2, "both slots were used, and no third")
  }
}
