// Reads the declared keys of parameter files as they are at this moment; a file is parsed again only when it changed.
package import CairnCore
import CairnSystem
import OrderedCollections
import Synchronization

package final class ParameterReader: Sendable {
  private let root: String
  private let folder: RepoPath
  private let known = Mutex<[Location: (stat: FileStat, files: ParameterFiles)]>([:])

  /// `folder` is where names in messages start.
  package init(root: String, folder: RepoPath) {
    self.root = root
    self.folder = folder
  }

  package func read(_ set: ParameterSet) -> CairnCore.ParameterReading {
    let path: String
    switch set.location {
    case .local(let local): path = root + "/" + local.text
    case .external(let outside): path = outside.absolute
    case .url(let url): return .failed(.remoteLocation(url))
    }
    do throws(Diagnostic) {
      guard let stat = try FileStat.of(path) else { return .missingFile }
      let files = known.withLock { known -> ParameterFiles in
        // A file written within a clock tick of the last look may have changed without a trace.
        if let entry = known[set.location], entry.stat == stat, WallClock.now() - stat.modified > 20_000_000 {
          return entry.files
        }
        let files = ParameterFiles(root: root)
        known[set.location] = (stat, files)
        return files
      }
      switch try files.reading(of: set, from: folder) {
      case .missing: return .missingFile
      case .values(let values):
        return .values(OrderedDictionary(values.map { ($0.key, $0.value.value) }, uniquingKeysWith: { $1 }))
      }
    } catch {
      return .failed(error)
    }
  }
}
