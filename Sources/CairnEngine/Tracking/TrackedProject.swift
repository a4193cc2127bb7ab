// What a tracking server is told of a project beside its records: where objects lie on the remote, which outputs are
// models, and the bytes of small files. Knows no server.
package import CairnCore
import CairnFormats
package import CairnLineage
package import CairnStore
import CairnSystem
import Synchronization

package struct TrackedProject: Sendable {
  package let settings: TrackingSettings
  package let records: RecordStore
  package let outbox: Outbox
  package let objects: ProjectObjects
  /// By path: the names under which `artifacts:` declares models.
  package let models: [String: String]

  package var cache: DataCache { objects.cache }

  package init(_ workspace: Workspace, _ settings: TrackingSettings) {
    self.settings = settings
    records = workspace.records
    outbox = Outbox(beside: workspace.records)
    objects = ProjectObjects(workspace)
    let paths = PathResolver(ofProject: workspace.repository.root)
    var models: [String: String] = [:]
    for file in workspace.project.pipeline.files {
      for (name, artifact) in file.artifacts {
        guard artifact["type"]?.string == "model", let name = name.string, let declared = artifact["path"]?.string,
          let path = paths.location(of: declared, in: .local(file.path.parent)).local
        else { continue }
        models[path.text] = name
      }
    }
    self.models = models
  }

  /// Puts runs into the outbox as if they had just ended; those that the server has lose nothing by it.
  ///
  /// - Parameter runs: of this repository.
  package func enqueueAll(_ runs: [RunID]) throws(Diagnostic) {
    let outbox = TrackingOutbox(outbox, settings)
    var invocations: Set<String> = []
    for run in runs {
      guard let record = try records.record(run) else { continue }
      // What nobody saw run has no run to be shown.
      if record.reconstructed != nil { continue }
      outbox.add(record, run.digest)
      invocations.insert(record.invocation)
    }
    for digest in try records.documents() {
      guard let invocation = (try? records.invocation(digest)) ?? nil, invocations.contains(invocation.invocation) else { continue }
      outbox.add(invocation: invocation, digest)
    }
  }

  // MARK: Bytes

  /// What a file of a run held: from the workspace while it is still that, else from the cache; `nil` where both have
  /// other bytes or it is larger.
  package func content(of path: String, _ hash: ContentHash, limit: Int) -> [UInt8]? {
    let kinds = DigestKinds(hash.algorithm, sha256: false)
    for place in [objects.place(of: path), cache.store(for: hash).path(of: hash)] {
      guard let stat = (try? FileStat.of(place)) ?? nil, stat.size <= UInt64(limit),
        let bytes = (try? Files.read(plain: place)) ?? nil, bytes.count <= limit
      else { continue }
      if ContentHasher.digests(of: bytes, kinds)[hash.algorithm] == hash.digest { return bytes }
    }
    return nil
  }
}
