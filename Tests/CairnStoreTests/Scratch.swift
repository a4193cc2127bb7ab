// A temporary project with a cache, for the tests of this folder.
import CairnCore
import CairnStore
import CairnTestSupport
import Foundation

final class Scratch {
  let root: String

  init() throws {
    root = FileManager.default.temporaryDirectory.path + "/cairn-store-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: root, withIntermediateDirectories: true)
  }

  deinit { _ = try? Command.run(["/bin/rm", "-rf", root], in: "/") }

  func path(_ name: String) -> String { root + "/" + name }

  var indexPath: String { path(".cairn/state") }

  func index(network: Bool = false) -> StateIndex { StateIndex(path: indexPath, isNetworkFileSystem: network) }

  func snapshotter(filter: any PathFilter = DefaultPathFilter()) -> Snapshotter {
    Snapshotter(root: root, index: index(), filter: filter)
  }

  func cache(_ types: [LinkType] = LinkType.defaults, shared: Bool = false) -> DataCache {
    DataCache(folder: path(".dvc/cache"), linkTypes: types, isShared: shared)
  }

  func writer(_ types: [LinkType] = LinkType.defaults) -> CacheWriter {
    CacheWriter(cache: cache(types), snapshotter: snapshotter())
  }

  func checkout(_ types: [LinkType] = LinkType.defaults) -> Checkout {
    Checkout(cache: cache(types), snapshotter: snapshotter())
  }

  /// Runs a script; what it prints.
  @discardableResult
  func sh(_ script: String) throws -> String {
    let result = try Command.run(["/bin/sh", "-ec", "umask 022\n" + script], in: root)
    if result.status != 0 { throw ScratchError(text: "\(script)\n\(result)") }
    return result.output
  }

  /// Mode, number of links, kind and path of every file and link, ordered by path.
  func listing(_ paths: String) throws -> String {
    try sh("find \(paths) \\( -type f -o -type l \\) -printf '%m %n %y %p\\n' | LC_ALL=C sort -k4")
  }

  func set(_ name: String, modified: Nanoseconds) throws {
    let (seconds, rest) = modified.quotientAndRemainder(dividingBy: 1_000_000_000)
    try sh("touch -d '@\(seconds).\(String(format: "%09d", Int(rest)))' '\(name)'")
  }
}

struct ScratchError: Error { var text: String }

func repoPath(_ text: String) -> RepoPath { RepoPath(unchecked: text) }
