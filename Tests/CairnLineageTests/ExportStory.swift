// One small story for the tests of exports: prepare → train → evaluate, with a failed try before.
import CairnCore
import CairnFormats
import CairnLineage

enum ExportStory {
  static let commit = "4e1c9d2f0b7a6c5d4e3f2a1b0c9d8e7f6a5b4c3d"
  static let invocation = "01JQ0000000000000000000000"
  static let repository = "https://git.example.org/team/demo.git"

  static func project(remote: String? = "s3://bucket") -> ExportProject {
    ExportProject(repository: repository, root: "/work/elsewhere", folder: ".", remote: remote)
  }

  /// Milliseconds after 2026-06-01 10:00 UTC.
  static func time(_ milliseconds: Int64) -> Nanoseconds { (1_780_308_000_000 + milliseconds) * 1_000_000 }

  static func run(
    _ stage: String, from start: Int64, to end: Int64, _ inputs: [RunRecord.Input], _ outputs: [RunRecord.OutputPart],
    result: RunResult = .succeeded, repository: String? = repository
  ) -> RunRecord {
    var execution = RunRecord.Execution(started: time(start), cairn: "1.0.0", os: "Linux 6.1 x86_64")
    execution.finished = time(end)
    execution.exit = result == .succeeded ? 0 : 1
    var record = RunRecord(
      stage: .init(address: stage, file: "dvc.yaml", wdir: ".", cmd: ["python src/\(stage).py"]), invocation: invocation,
      actor: .init(name: "ann", host: "gpu1"), source: .init(commit: commit, branch: "main", repository: repository),
      execution: execution, result: result)
    record.inputs = inputs
    record.outputs = outputs
    return record
  }

  static func input(
    _ path: String, _ md5: String, size: UInt64, from producer: RunID? = nil, origin: RunRecord.Origin.Kind = .git
  ) -> RunRecord.Input {
    .init(
      path: path, md5: md5, sha256: Digest32(hex: String(repeating: String(md5.prefix(32)), count: 2)), size: size,
      producer: producer, origin: .init(producer == nil ? origin : .stage))
  }

  static func output(_ path: String, _ md5: String, size: UInt64, role: String = "out", type: String? = nil) -> RunRecord.OutputPart {
    .init(
      path: path, role: role, md5: md5, sha256: Digest32(hex: String(repeating: String(md5.prefix(32)), count: 2)), size: size,
      annotations: ["type": type.map { .string($0) } ?? .null])
  }

  /// The three runs, written, with the failed one before them.
  static func write(_ place: TemporaryStore) throws -> (runs: [OpenLineageSequence.Run], invocations: [String: InvocationRecord]) {
    var failed = run(
      "prepare", from: -9000, to: -8000,
      [input("data/raw.csv", "75686325fc1eeb7a446be9d181ccca5d", size: 16, origin: .dvcFile)], [], result: .failed)
    failed.error = .init(code: "command-failed", message: "failed to run: python src/prepare.py, exited with 1")
    var prepare = run(
      "prepare", from: 0, to: 3500,
      [
        input("data/raw.csv", "75686325fc1eeb7a446be9d181ccca5d", size: 16, origin: .dvcFile),
        input("src/prepare.py", "f4b23ece62e9af0dab139efd1918f75d", size: 17),
      ], [output("prepared.csv", "178ba85707470c41cf680fb37ff99f7f", size: 12)])
    prepare.execution.attempt = 2
    let prepared = try place.store.write(prepare)
    var train = run(
      "train", from: 3600, to: 600_000,
      [
        input("prepared.csv", "178ba85707470c41cf680fb37ff99f7f", size: 12, from: prepared),
        input("src/train.py", "7b7407fdf45908376dc9b05dd0145854", size: 15),
      ], [output("model.pkl", "e105731de5428f4101d64e2755476d8f", size: 12, type: "model")])
    train.params = ["params.yaml": ["train.lr": 0.1, "train.layers": .list([64, "relu"]), "train.limit": .float(.infinity)]]
    train.reasons = [.map(["kind": "never-run"])]
    let trained = try place.store.write(train)
    var evaluate = run(
      "evaluate", from: 600_100, to: 605_000,
      [
        input("model.pkl", "e105731de5428f4101d64e2755476d8f", size: 12, from: trained),
        input("prepared.csv", "178ba85707470c41cf680fb37ff99f7f", size: 12, from: prepared),
        input("src/evaluate.py", "183e5a367cc51eff44dce1360dd93590", size: 18),
      ], [output("metrics.json", "493c0345b63b2306b64601811eee0d6c", size: 14, role: "metric")])
    evaluate.metrics = ["metrics.json": .map(["auc": 0.93, "classes": .list([1, 2])])]
    let runs = try [failed, prepare, train, evaluate].map { record in
      OpenLineageSequence.Run(id: try place.store.write(record), record: record, declared: ["prepared.csv"])
    }
    let invocation = InvocationRecord(
      invocation: invocation, actor: failed.actor, started: time(-9100), finished: time(605_100), arguments: ["repro"],
      commit: commit, stages: [], store: "s", previous: [], exit: 0)
    return (runs, [Self.invocation: invocation])
  }
}
