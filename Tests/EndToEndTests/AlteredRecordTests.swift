// A record that somebody altered, or took away, in the middle of a chain: named, never used, and never passed over.
import CairnTestSupport
import Foundation
import Testing

struct AlteredRecordTests {
  /// in → a → b, committed; and the record of a's run.
  private func project() throws -> (TestRepository, record: String) {
    let repository = try TestRepository()
    try repository.write("in", "1\n")
    try repository.write(
      "dvc.yaml",
      "stages:\n  make: {cmd: cat in > a, deps: [in], outs: [a]}\n  end: {cmd: cat a a > b, deps: [a], outs: [b]}\n")
    try repository.commit()
    #expect(try repository.cairn("repro", "-q").status == 0)
    try repository.commit("run")
    let list = try repository.cairn("runs", "--stage", "make", "--json")
    let document = try JSONSerialization.jsonObject(with: Data(list.output.utf8)) as? [String: Any]
    let run = try #require((document?["runs"] as? [[String: Any]])?.first?["run"] as? String)
    return (repository, ".cairn/runs/\(run.prefix(2))/\(run.dropFirst(2)).json")
  }

  @Test("what hangs on it is told with what is unknown", arguments: ["altered", "missing"])
  func lineage(fault: String) throws {
    let (repository, record) = try project()
    let change = fault == "altered" ? "chmod u+w \(record) && sed -i 's/\"host\":\"/&x/' \(record)" : "rm -f \(record)"
    #expect(try repository.shell(change).status == 0)
    let words = fault == "altered" ? ": its record was altered, so it is not used" : ": its record is missing"
    // Of b it is known who made it, and not what made a; of a nothing is known.
    for (path, status) in [("b", 0), ("a", 2)] {
      let result = try repository.cairn("lineage", path)
      #expect(result.status == status, "\(result)")
      if path == "b" || fault == "altered" { #expect(result.output.contains(words), "\(result)") }
      #expect(result.output.contains("unknown: "), "\(result)")
      let document = try JSONSerialization.jsonObject(with: Data(repository.cairn("lineage", path, "--json").output.utf8))
      let unknown = (document as? [String: Any])?["unknown"] as? [[String: Any]]
      #expect(unknown?.isEmpty == false)
    }
  }

  @Test("verify of what was made with it does not pass", arguments: ["b", "end"])
  func verify(target: String) throws {
    let (repository, record) = try project()
    let whole = try repository.cairn("verify", "--lineage", target)
    #expect(whole.status == 0, "\(whole)")
    #expect(try repository.shell("chmod u+w \(record) && sed -i 's/\"host\":\"/&x/' \(record)").status == 0)
    let altered = try repository.cairn("verify", "--lineage", target)
    #expect(altered.status == 1 && altered.output.contains("make: the record behind its lock entry was altered"), "\(altered)")
    #expect(try repository.shell("rm -f \(record)").status == 0)
    let missing = try repository.cairn("verify", "--lineage", "--require-records", target)
    #expect(missing.status == 2, "\(missing)")
  }
}
