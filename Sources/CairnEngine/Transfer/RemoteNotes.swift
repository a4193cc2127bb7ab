// What was seen of run records on each remote, so that nothing is asked twice. Can be deleted at any time.
package import CairnCore
import CairnLineage
import CairnStore
import CairnSystem

/// A file of lines for each remote, which only grows: `+NAME` for a file of ours that is there, `-NAME COMMIT` for one
/// that was looked at and is not ours (the commit is that of a run, which may come to this repository later).
package struct RemoteNotes {
  private let path: String
  private let place: String
  /// Of ours, what is there.
  private(set) var there: Set<StoredName> = []
  /// Of others, what stays there, and the commit of a run.
  private(set) var left: [StoredName: String?] = [:]

  private static let header = "cairn.remote-notes/1 "

  init(of place: String, in folder: String) {
    self.place = place
    path = folder + "/" + ContentHasher.sha256(of: Array(place.utf8)).hex.prefix(16)
    for line in Self.lines(of: path) {
      let fields = line.dropFirst().split(separator: " ")
      guard let name = fields.first.flatMap({ StoredName(path: $0) }) else { continue }
      switch line.utf8.first {
      case UInt8(ascii: "+"): there.insert(name)
      case UInt8(ascii: "-"): left.updateValue(fields.count > 1 ? String(fields[1]) : nil, forKey: name)
      default: break
      }
    }
  }

  /// Documents that are known to be on some remote.
  package static func pushedDocuments(in folder: String) -> Set<Digest32> {
    var found: Set<Digest32> = []
    for entry in ((try? Files.list(folder)) ?? nil) ?? [] where entry.kind == .file {
      for line in lines(of: folder + "/" + entry.name) where line.utf8.first == UInt8(ascii: "+") {
        if let name = StoredName(path: line.dropFirst()), name.isDocument { found.insert(name.digest) }
      }
    }
    return found
  }

  /// Of a file of another version none.
  private static func lines(of path: String) -> [Substring] {
    let text = (try? Files.readText(path)) ?? nil
    guard let text, text.hasPrefix(header) else { return [] }
    // A last line without its end was cut off.
    return text[...(text.lastIndex(of: "\n") ?? text.startIndex)].split(separator: "\n").dropFirst().map { $0 }
  }

  /// What cannot be noted is asked again.
  mutating func note(there new: some Sequence<StoredName>, left others: [StoredName: String?] = [:]) {
    var text = ""
    for name in new where there.insert(name).inserted { text += "+" + name.path + "\n" }
    for (name, commit) in others where left[name] == nil {
      left.updateValue(commit, forKey: name)
      text += "-" + name.path + (commit.map { " " + $0 } ?? "") + "\n"
    }
    if text.isEmpty { return }
    let folder = String(path.prefix(upTo: path.lastIndex(of: "/") ?? path.startIndex))
    if (try? Files.makeDirectories(folder)) == nil { return }
    // One of another version begins anew.
    let isKnown = ((try? Files.readText(path)) ?? nil)?.hasPrefix(Self.header) ?? false
    if !isKnown { try? AtomicFile.write(Array((Self.header + place + "\n").utf8), to: path, sync: false) }
    try? AppendFile(path).append(Array(text.utf8))
  }
}
