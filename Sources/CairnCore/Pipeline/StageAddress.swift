// The name by which a stage is called, as DVC has it.

package struct StageAddress: Hashable, Sendable {
  /// The `dvc.yaml` or `.dvc` file.
  package var file: RepoPath
  /// The stage's full name (`train`, `train@0`); `nil` for a `.dvc` file.
  package var name: String?

  package init(file: RepoPath, name: String?) {
    self.file = file
    self.name = name
  }

  /// What `text()` gave: `train`, `sub/dvc.yaml:train`, `data.csv.dvc`.
  package init(_ text: String) {
    if text.hasSuffix(".dvc") {
      self.init(file: RepoPath(unchecked: text), name: nil)
    } else if let colon = text.lastIndex(of: ":") {
      self.init(file: RepoPath(unchecked: String(text[..<colon])), name: String(text[text.index(after: colon)...]))
    } else {
      self.init(file: RepoPath(unchecked: "dvc.yaml"), name: text)
    }
  }

  /// How DVC shows it to somebody who stands in `folder`: `train` for the `dvc.yaml` of that folder,
  /// `sub/dvc.yaml:train` for another, `data/raw.csv.dvc` for a `.dvc` file.
  package func text(from folder: RepoPath = .root) -> String {
    guard let name else { return file.relative(to: folder) }
    return file == folder.appending("dvc.yaml") ? name : file.relative(to: folder) + ":" + name
  }
}
