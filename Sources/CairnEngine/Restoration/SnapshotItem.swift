// What became of one file or value of a run that was restored elsewhere, and the manifest of all of them. Values alone.
package import CairnCore
import CairnFormats

package struct SnapshotItem: Sendable, Hashable {
  package enum Kind: String, Sendable {
    /// Files of the commit that the run began with.
    case code
    /// A tracked file that differed from the commit.
    case edit
    case input, output, parameters
    /// An input of a run before it.
    case ancestor
  }

  package enum State: String, Sendable {
    /// There, and its bytes have the recorded hashes.
    case restored
    /// Nowhere to be had.
    case missing
    /// Taken away on purpose.
    case erased
    /// What is to be had has other bytes.
    case altered
    /// The record does not say what it was, or it lies outside of the project.
    case unknown
  }

  package enum Source: String, Sendable { case git, patch, cache, remote, workspace }

  package var kind: Kind
  package var path: String
  package var md5: String?
  package var sha256: Digest32?
  package var size: UInt64?
  package var source: Source?
  package var state: State
  /// Why it is not restored, or what is to be known of it.
  package var detail: String?
  /// The run that it belongs to, of what came before the one that was asked for.
  package var run: RunID?

  init(_ kind: Kind, _ path: String, state: State = .missing) {
    self.kind = kind
    self.path = path
    self.state = state
  }

  package var value: Value {
    .map([
      "kind": .string(kind.rawValue), "path": .string(path), "md5": md5.map { .string($0) } ?? .null,
      "sha256": sha256.map { .string($0.hex) } ?? .null, "size": size.map { .int(Int(clamping: $0)) } ?? .null,
      "from": source.map { .string($0.rawValue) } ?? .null, "state": .string(state.rawValue),
      "detail": detail.map { .string($0) } ?? .null, "run": run.map { .string($0.hex) } ?? .null,
    ])
  }
}

/// What was restored, and what could not be: a file of the folder, and the answer under `--json`.
package struct SnapshotManifest: Sendable {
  package static let fileName = "cairn-restore.json"

  package var run: RunID
  package var stage: String
  package var result: RunResult
  package var commit: String?
  package var repository: String?
  package var command: [String]
  /// The project's folder, relative to the one that was restored into.
  package var project: String
  package var items: [SnapshotItem] = []

  package var isWhole: Bool { items.allSatisfy { $0.state == .restored } }

  package var value: Value {
    .map([
      "schema": "cairn.restore-manifest/v1", "run": .string(run.hex), "stage": .string(stage),
      "result": .string(result.rawValue), "commit": commit.map { .string($0) } ?? .null,
      "repository": repository.map { .string($0) } ?? .null, "command": .list(command.map { .string($0) }),
      "project": .string(project), "whole": .bool(isWhole), "items": .list(items.map(\.value)),
    ])
  }
}
