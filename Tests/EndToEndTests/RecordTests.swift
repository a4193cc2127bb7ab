// What a record says of the code and of the inputs that a stage ran with.
import CairnTestSupport
import Foundation
import Testing

/// The newest record of a stage.
private func lastRecord(of stage: String, in repository: TestRepository) throws -> [String: Any] {
  var newest: (start: String, record: [String: Any])?
  for folder in repository.list(".cairn/runs") where folder.count == 2 {
    for name in repository.list(".cairn/runs/" + folder) where name.hasSuffix(".json") {
      let bytes = try #require(repository.bytes(".cairn/runs/\(folder)/\(name)"))
      let record = try #require(try JSONSerialization.jsonObject(with: Data(bytes)) as? [String: Any])
      guard (record["stage"] as? [String: Any])?["address"] as? String == stage,
        let start = (record["execution"] as? [String: Any])?["started"] as? String
      else { continue }
      if newest.map({ $0.start < start }) ?? true { newest = (start, record) }
    }
  }
  return try #require(newest?.record)
}

private func origins(of stage: String, in repository: TestRepository) throws -> [String?] {
  let inputs = try #require(try lastRecord(of: stage, in: repository)["inputs"] as? [[String: Any]])
  return inputs.map { ($0["origin"] as? [String: Any])?["kind"] as? String }
}

struct RecordTests {
  @Test("a stage that ran before, without an entry in the lock, has no record there; it is not told that it never ran")
  func lostEntry() throws {
    let repository = try TestRepository()
    try repository.write("dvc.yaml", "stages: {s: {cmd: cat f > o, deps: [f], outs: [o]}}\n")
    try repository.write("f", "1\n")
    #expect(try repository.cairn("repro", "--json").output.contains("\"never-run\""))
    try repository.remove("dvc.lock")
    try repository.write("f", "2\n")
    let result = try repository.cairn("repro", "--json")
    #expect(result.output.contains("\"no-record\"") && !result.output.contains("\"never-run\""), "\(result)")
  }

  @Test("an input that was edited by hand is not recorded as the work of the stage that makes it")
  func edited() throws {
    let repository = try TestRepository()
    try repository.write(
      "dvc.yaml",
      """
      stages:
        a: {cmd: echo 1 > oa, outs: [oa: {cache: false}]}
        b: {cmd: cat oa > ob, deps: [oa], outs: [ob]}

      """)
    #expect(try repository.cairn("repro").status == 0)
    #expect(try origins(of: "b", in: repository) == ["stage"])
    try repository.write("oa", "hand\n")
    #expect(try repository.cairn("repro", "-s", "b").status == 0)
    #expect(try origins(of: "b", in: repository) == ["none"])
    try repository.commit()
    try repository.write("oa", "another hand\n")
    #expect(try repository.cairn("repro", "-s", "b").status == 0)
    #expect(try origins(of: "b", in: repository) == ["git"])
    #expect(try repository.cairn("repro").status == 0)
    #expect(try origins(of: "b", in: repository) == ["stage"])
  }
}
