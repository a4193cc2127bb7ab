// Records and stores for the tests beside it.
import CairnCore
import CairnLineage
import CairnSystem
import Foundation

/// A store in a temporary folder that goes with it.
final class TemporaryStore: Sendable {
  let top: String
  let store: RecordStore

  init(shared: Bool = false) {
    top = NSTemporaryDirectory() + "cairn-lineage-" + UUID().uuidString
    store = RecordStore(folder: top + "/.cairn/runs", sharedFolder: shared ? top + "/cache/cairn" : nil)
  }

  deinit { try? FileManager.default.removeItem(atPath: top) }

  var index: LineageIndex { get throws { try LineageIndex(path: top + "/.cairn/lineage.sqlite", store: store) } }

  func path(_ digest: Digest32, suffix: String = ".json", in folder: String = "/.cairn/runs") -> String {
    top + folder + "/" + digest.hex.prefix(2) + "/" + digest.hex.dropFirst(2) + suffix
  }
}

extension RunRecord {
  /// `train: features.csv@h1 -> model.pkl@h2`, started at second `at`, taking two.
  static func example(
    _ stage: String, inputs: [(String, String)] = [], outputs: [(String, String)] = [], at second: Int64 = 0,
    result: RunResult = .succeeded, params: [String: Value] = [:], size: UInt64 = 1000
  ) -> RunRecord {
    var execution = Execution(started: (1_700_000_000 + second) * 1_000_000_000, cairn: "1.0", os: "linux")
    execution.finished = execution.started + 2_000_000_000
    execution.exit = 0
    var record = RunRecord(
      stage: StagePart(address: stage, file: "dvc.yaml", wdir: ".", cmd: ["run " + stage]),
      invocation: "01JQ0000000000000000000000", actor: Actor(name: "ann", host: "gpu1"),
      source: Source(commit: String(repeating: "4e", count: 20), repository: "https://example.org/r.git"),
      execution: execution, result: result)
    record.inputs = inputs.map {
      Input(path: $0, md5: $1, sha256: nil, size: size, producer: nil, origin: Origin(.none))
    }
    record.outputs = outputs.map {
      OutputPart(path: $0, role: "out", md5: $1, sha256: nil, size: size, annotations: [:])
    }
    if !params.isEmpty { record.params["params.yaml"] = .init(uniqueKeysWithValues: params.sorted { $0.key < $1.key }) }
    return record
  }
}
