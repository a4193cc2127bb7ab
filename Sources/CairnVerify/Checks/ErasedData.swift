// Which data was erased on purpose: tombstones name a SHA-256, locks an MD5, and records know both.
import CairnCore
import CairnEngine
import CairnFormats
import CairnLineage

struct ErasedData {
  private var digests: Set<Digest16> = []

  /// Nothing.
  init() {}

  /// Reads all records where there is a tombstone, and nothing else.
  init(_ repository: Repository, cacheFolder: String) {
    guard let history = try? History(repository, cacheFolder: cacheFolder), let marks = try? history.store.tombstoneMarks(),
      !marks.isEmpty
    else { return }
    let erased = Set(marks.map(\.hash))
    for digest in (try? history.store.documents()) ?? [] {
      guard let bytes = (try? history.store.document(digest)) ?? nil else { continue }
      switch StoredDocument(bytes) {
      case .run(let record):
        let files = record.inputs.map { ($0.md5, $0.sha256) } + record.outputs.map { ($0.md5, $0.sha256) }
        for case (let md5?, let sha256?) in files where erased.contains(sha256) {
          if let hash = ContentHash(md5) { digests.insert(hash.digest) }
        }
      case .other:
        for entry in (try? DirectoryDocument.decode(bytes))?.entries ?? [] {
          if let sha256 = entry.sha256, erased.contains(sha256) { digests.insert(entry.md5) }
        }
      default: continue
      }
    }
  }

  func contains(_ hash: ContentHash) -> Bool { digests.contains(hash.digest) }
}
