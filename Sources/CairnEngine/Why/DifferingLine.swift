// The line of a value at which it differs from what it was.
import CairnCore

enum DifferingLine {
  /// - Parameter reason: with the old value, where it is known.
  static func of(_ now: MarkedValue, _ reason: Reason) -> Int? {
    guard case .value(let was)? = reason.was else { return now.mark?.line }
    // The text of a command is not what it gives: the two are compared where they stand in a row.
    if reason.kind == .commandChanged, case .value(let given)? = reason.now { return command(now, was, given) }
    return of(now, was)
  }

  private static func of(_ now: MarkedValue, _ was: Value) -> Int? {
    switch (now.node, was) {
    case (.list(let items), .list(let old)):
      for (index, item) in items.enumerated() {
        guard index < old.count else { return item.mark?.line ?? now.mark?.line }
        if !item.value.isEqualInPython(to: old[index]) { return of(item, old[index]) ?? now.mark?.line }
      }
      // The end is gone.
      return items.last?.mark?.line ?? now.mark?.line
    case (.map(let entries), .map(let old)):
      let entry = entries.first { entry in
        old[entry.key.value].map { !entry.value.value.isEqualInPython(to: $0) } ?? true
      }
      guard let entry else { return now.mark?.line }
      return old[entry.key.value].flatMap { of(entry.value, $0) } ?? entry.key.mark?.line ?? now.mark?.line
    case (.scalar(.string(let text)), .string(let old)): return line(of: text, was: old, at: now.mark)
    default: return now.mark?.line
    }
  }

  private static func command(_ written: MarkedValue, _ was: Value, _ now: Value) -> Int? {
    switch (written.node, was, now) {
    case (.list(let items), .list(let old), .list(let given)) where items.count == given.count:
      let index = given.indices.first { $0 >= old.count || !given[$0].isEqualInPython(to: old[$0]) }
      guard let index else { return items.last?.mark?.line ?? written.mark?.line }
      return items[index].mark?.line ?? written.mark?.line
    case (.scalar, .string(let old), .string(let text)): return line(of: text, was: old, at: written.mark)
    default: return written.mark?.line
    }
  }

  /// Of a text of several lines, where the file has it line by line.
  private static func line(of text: String, was: String, at mark: SourceMark?) -> Int? {
    guard let mark else { return nil }
    guard mark.source.line(mark.line).dropFirst(mark.column - 1).hasPrefix("|") else { return mark.line }
    let now = text.split(separator: "\n", omittingEmptySubsequences: false)
    let old = was.split(separator: "\n", omittingEmptySubsequences: false)
    let same = zip(now, old).prefix { $0.utf8.elementsEqual($1.utf8) }.count
    return mark.line + 1 + min(same, max(0, now.count - 1))
  }
}
