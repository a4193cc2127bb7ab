// Goes through a folder and all below it, fast: one descriptor a folder, no path is resolved twice. Knows nothing of ignore rules.
import CSystem
package import CairnCore
import Glibc

package enum DirectoryWalk {
  /// One thing found. `path` is relative to the folder where the walk began.
  package struct Item: Sendable {
    package var path: String
    /// Of the thing itself: links are not followed.
    package var stat: FileStat

    package var kind: FileStat.Kind { stat.kind }
  }

  package enum Step: Sendable {
    case enter
    /// Do not look into this folder.
    case skip
  }

  /// Calls `visit` for every file, link, folder and other thing below `folder`, a folder before what it holds, in no
  /// particular order otherwise. What vanishes meanwhile is passed over. Links to folders are not entered.
  ///
  /// False when `folder` itself is not there. Throws when a folder cannot be read, and what `visit` throws.
  @discardableResult
  package static func visit(
    _ folder: String, _ visit: (Item) throws(Diagnostic) -> Step
  ) throws(Diagnostic) -> Bool {
    let opened = folder.asSystemPath { cairn_open($0, O_RDONLY | O_DIRECTORY, 0) }
    if opened == -ENOENT { return false }
    if opened < 0 { throw Diagnostic.system(-opened, "list the folder", folder) }
    try descend(opened, folder, "", visit)
    return true
  }

  /// Everything that is no folder, ordered by the bytes of the paths; `nil` when `folder` is not there.
  package static func files(_ folder: String) throws(Diagnostic) -> [Item]? {
    var items: [Item] = []
    let found = try visit(folder) { item in
      if item.kind != .directory { items.append(item) }
      return .enter
    }
    if !found { return nil }
    items.sort { $0.path.precedesInBytes($1.path) }
    return items
  }

  private static func descend(
    _ descriptor: Int32, _ root: String, _ prefix: String, _ visit: (Item) throws(Diagnostic) -> Step
  ) throws(Diagnostic) {
    var entered: [(name: String, path: String)] = []
    var failure: Diagnostic?
    // The reader closes its descriptor; the folders below are opened through this one after it is done.
    let folder = fcntl(descriptor, F_DUPFD_CLOEXEC, 3)
    if folder < 0 {
      let code = errno
      close(descriptor)
      throw Diagnostic.system(code, "list the folder", path(root, prefix))
    }
    defer { close(folder) }
    let result = DirectoryReader.read(descriptor) { name, _, descriptor in
      var raw = cairn_file_stat()
      let stated = cairn_statat(descriptor, name, 0, &raw)
      if stated == -ENOENT { return 0 }
      let text = String(systemName: name)
      let path = prefix.isEmpty ? text : prefix + text
      if stated < 0 {
        failure = Diagnostic.system(-stated, "look at it", self.path(root, path))
        return -1
      }
      let item = Item(path: path, stat: FileStat(raw))
      do throws(Diagnostic) {
        if try visit(item) == .enter, item.kind == .directory { entered.append((text, path)) }
        return 0
      } catch {
        failure = error
        return -1
      }
    }
    if let failure { throw failure }
    if result < 0 { throw Diagnostic.system(-result, "list the folder", path(root, prefix)) }
    for (name, path) in entered {
      let opened = name.asSystemPath { cairn_openat(folder, $0, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0) }
      if opened == -ENOENT || opened == -ENOTDIR || opened == -ELOOP { continue }
      if opened < 0 { throw Diagnostic.system(-opened, "list the folder", self.path(root, path)) }
      try descend(opened, root, path + "/", visit)
    }
  }

  private static func path(_ root: String, _ relative: String) -> String {
    relative.isEmpty ? root : "\(root)/\(relative)"
  }
}

extension Files {
  /// Removes a folder and all in it, or a file or link; false when nothing was there.
  ///
  /// As DVC, makes folders writable where that keeps it from removing what is in them. Links are removed, not followed.
  @discardableResult
  package static func removeTree(_ path: String) throws(Diagnostic) -> Bool {
    guard let stat = try FileStat.of(path, followLinks: false) else { return false }
    guard stat.kind == .directory else { return try remove(path) }
    if stat.mode & 0o700 != 0o700 { _ = path.asSystemPath { restarting(Glibc.chmod($0, stat.mode | 0o700)) } }
    for entry in try list(path) ?? [] {
      let child = path + "/" + entry.name
      if entry.kind == .directory { try removeTree(child) } else { try remove(child) }
    }
    let result = path.asSystemPath { restarting(rmdir($0)) }
    if result == -ENOENT { return false }
    if result < 0 { throw Diagnostic.system(-result, "remove the folder", path) }
    return true
  }
}
