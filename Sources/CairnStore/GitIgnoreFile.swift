// The lines that DVC keeps in `.gitignore` so that git leaves data alone. Pure functions on the file's text, and
// their effect on a folder. Knows nothing of git's rules: whether a path is ignored already, git says.
package import CairnCore
import CairnSystem

package enum GitIgnoreFile {
  /// The entry for a file or folder beside the `.gitignore`, as DVC adds it: anchored, special characters escaped.
  package static func entry(for name: String) -> String {
    var entry = "/"
    for scalar in name.unicodeScalars {
      if "\\[]!*#?".unicodeScalars.contains(scalar) { entry.unicodeScalars.append("\\") }
      entry.unicodeScalars.append(scalar)
    }
    return entry
  }

  /// The entry with its line's end.
  package static func line(for name: String) -> [UInt8] { FileName.bytes(entry(for: name)) + [0x0A] }

  /// All lines, each with its end where it has one.
  package static func lines(of text: [UInt8]) -> Set<[UInt8]> { Set(lines(text).lazy.map(Array.init)) }

  /// `text` with a line for `name` at its end; `text` itself when the line stands there.
  package static func adding(_ name: String, to text: [UInt8]) -> [UInt8] {
    let line = line(for: name)
    let start = text.isEmpty || text.last == 0x0A ? [] : [UInt8(0x0A)]
    // As DVC compares: with a missing line end before it, the line never counts as there.
    if start.isEmpty, lines(text).contains(where: { $0.elementsEqual(line) }) { return text }
    return text + start + line
  }

  /// The same for many names, one after the other, in one pass over the text.
  package static func adding(_ names: [String], to text: [UInt8]) -> [UInt8] {
    guard names.count > 1 else { return names.first.map { adding($0, to: text) } ?? text }
    var text = text
    var known: Set<ArraySlice<UInt8>> = []
    // A last line without an end is none, as for a single name.
    if text.last == 0x0A { known = Set(lines(text)) }
    for name in names {
      let line = line(for: name)
      if !text.isEmpty, text.last != 0x0A { text.append(0x0A) }
      if known.insert(line[...]).inserted { text += line }
    }
    return text
  }

  /// `text` without the lines that are `/name`; `nil` when no line is left, and the file goes.
  ///
  /// DVC looks for the name unescaped, so a line with an escape in it stays.
  package static func removing(_ name: String, from text: [UInt8]) -> [UInt8]? {
    let wanted = stripped(([0x2F] + FileName.bytes(name))[...])
    let kept = lines(text).filter { !stripped($0).elementsEqual(wanted) }
    return kept.isEmpty ? nil : kept.flatMap { $0 }
  }

  /// `text` without the lines that `adding` makes for `names`, and those of them that stood there; `nil` where nothing
  /// is left.
  package static func taking(_ names: [String], from text: [UInt8]) -> (rest: [UInt8]?, found: [String]) {
    var wanted: [[UInt8]: String] = [:]
    for name in names { wanted[line(for: name)] = name }
    var rest: [UInt8] = []
    var found: [String] = []
    for line in lines(text) {
      if let name = wanted[Array(line)] { found.append(name) } else { rest += line }
    }
    return (rest.isEmpty ? nil : rest, found)
  }

  /// Adds `name` to the `.gitignore` of `folder`; true when the file was changed.
  @discardableResult
  package static func add(_ name: String, in folder: String) throws(Diagnostic) -> Bool {
    let path = folder + "/.gitignore"
    let old = try Files.read(path) ?? []
    let new = adding(name, to: old)
    if new == old { return false }
    try AtomicFile.writeKeepingMode(new, to: path, sync: false)
    return true
  }

  /// Removes `name`; the path of the `.gitignore` if it is still there, else `nil`, as DVC tells it to git.
  @discardableResult
  package static func remove(_ name: String, in folder: String) throws(Diagnostic) -> String? {
    let path = folder + "/.gitignore"
    guard let old = try Files.read(path) else { return nil }
    guard let new = removing(name, from: old) else {
      try Files.remove(path)
      return nil
    }
    if new != old { try AtomicFile.writeKeepingMode(new, to: path, sync: false) }
    return path
  }

  private static func lines(_ text: [UInt8]) -> [ArraySlice<UInt8>] {
    var lines: [ArraySlice<UInt8>] = []
    var start = 0
    for (index, byte) in text.enumerated() where byte == 0x0A {
      lines.append(text[start...index])
      start = index + 1
    }
    if start < text.count { lines.append(text[start...]) }
    return lines
  }

  private static func stripped(_ line: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
    func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || (0x09...0x0D).contains(byte) }
    var line = line.drop(while: isSpace)
    while let last = line.last, isSpace(last) { line.removeLast() }
    return line
  }
}
