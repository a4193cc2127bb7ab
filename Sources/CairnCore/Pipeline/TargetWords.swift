// Takes a target apart: `train`, `sub/dvc.yaml:train`, `train@0`, `data.csv.dvc`. Works on text alone.

/// What a user's word says before anything is looked up.
package struct TargetWords: Hashable, Sendable {
  /// The stage file, as written; `nil`: the word is a stage of the `dvc.yaml` at hand, or a path.
  package var file: String?
  /// A stage's name, or a pattern for such.
  package var name: String?

  /// - Throws: for a `dvc.lock`, which names no stages.
  package init(_ target: String, isPattern: Bool) throws(Diagnostic) {
    if isPattern {
      let parts = Self.splitAtLastColon(target)
      file = parts.before.isEmpty ? "dvc.yaml" : parts.before
      name = parts.after.isEmpty ? nil : parts.after
      return
    }
    // What stands behind the first `@` may hold any character.
    let (group, key) = Self.partition(target)
    let parts = Self.pathAndName(group)
    var name = parts.name
    if let plain = name, !plain.isEmpty, let key, !key.isEmpty { name = plain + "@" + key }
    if !parts.path.isEmpty {
      if parts.path.split(separator: "/").last == "dvc.lock" {
        var corrected = target
        if let range = corrected.firstRange(of: ".lock") { corrected.replaceSubrange(range, with: ".yaml") }
        throw Diagnostic(.badTarget, "Did you mean: `\(corrected)`?")
      }
      if name?.isEmpty ?? true {
        file = Self.isStageFile(target) ? target : nil
        self.name = file == nil ? target : nil
        return
      }
    }
    file = parts.path.isEmpty ? "dvc.yaml" : parts.path
    self.name = name?.isEmpty ?? true ? nil : name
  }

  /// DVC's test of a name: `dvc.yaml`, or anything that ends in `.dvc`.
  package static func isStageFile(_ path: String) -> Bool { StagePaths.isStageFile(path) }

  private static func partition(_ text: String) -> (String, String?) {
    guard let at = text.firstIndex(of: "@") else { return (text, nil) }
    return (String(text[..<at]), String(text[text.index(after: at)...]))
  }

  /// The name is what follows the last colon, unless it holds a slash.
  private static func pathAndName(_ text: String) -> (path: String, name: String?) {
    guard let colon = text.lastIndex(of: ":") else { return (text, nil) }
    let name = text[text.index(after: colon)...]
    if name.contains("/") || name.contains("\\") { return (text, nil) }
    return (String(text[..<colon]), String(name))
  }

  private static func splitAtLastColon(_ text: String) -> (before: String, after: String) {
    guard let colon = text.lastIndex(of: ":") else { return ("", text) }
    return (String(text[..<colon]), String(text[text.index(after: colon)...]))
  }
}

extension Diagnostic.Code {
  package static let badTarget = Diagnostic.Code("bad-target")
}
