// Names of several stages in one line. Knows nothing of what is said of them.
internal import CairnCore
internal import CairnEngine

enum FoldedNames {
  /// Stages of one group are folded where there are several: `tune@* (3)`; no more than six names.
  static func text(_ ids: [StageID], of project: LoadedProject) -> String {
    var folded: [(name: String, group: String?, count: Int)] = []
    var places: [String: Int] = [:]
    for id in ids {
      let stage = project.pipeline[id]
      // A group of another file is another group.
      let group = stage.group.map { StageAddress(file: stage.address.file, name: $0).text(from: project.folder) }
      if let group, let place = places[group] {
        folded[place].count += 1
      } else {
        if let group { places[group] = folded.count }
        folded.append((stage.address.text(from: project.folder), group, 1))
      }
    }
    let texts = folded.map { $0.count > 1 ? "\($0.group ?? $0.name)@* (\($0.count))" : $0.name }
    return texts.prefix(6).joined(separator: ", ") + (texts.count > 6 ? " and \(texts.count - 6) more" : "")
  }
}
