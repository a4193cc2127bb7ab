// Names what stands at an output's place, so that a failed try's leftover is told from what a person put there later.
import CairnCore
import CairnStore
import CairnSystem

enum LeftoverMark {
  /// Another text once something is changed there; `nil` when nothing is there, or it cannot be looked through.
  static func text(at path: RepoPath, _ content: Content, _ snapshotter: Snapshotter) -> String? {
    content.hash?.text ?? text(ofUnhashable: snapshotter.absolute(path))
  }

  /// Of a link to nothing, a pipe, a folder with one of these in it: what the file system says of each entry.
  static func text(ofUnhashable path: String) -> String? {
    var lines = ""
    guard describe(path, name: "", in: &lines) else { return nil }
    return "stat:" + ContentHasher.md5(of: Array(lines.utf8)).hex
  }

  private static func describe(_ path: String, name: String, in lines: inout String) -> Bool {
    guard let stat = (try? FileStat.of(path, followLinks: false)) ?? nil else { return false }
    lines += "\(name)\0\(stat.kind)\0"
    switch stat.kind {
    case .directory:
      guard let entries = (try? Files.list(path)) ?? nil else { return false }
      for entry in entries.sorted(by: { $0.name < $1.name }) {
        guard describe(path + "/" + entry.name, name: name + "/" + entry.name, in: &lines) else { return false }
      }
    case .symlink: lines += ((try? Files.readLink(path)) ?? nil) ?? ""
    case .file, .other: lines += "\(stat.size) \(stat.modified) \(stat.inode)"
    }
    lines += "\n"
    return true
  }
}
