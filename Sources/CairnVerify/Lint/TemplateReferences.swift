// Which values the templates of a dvc.yaml name: `${train.lr}`, `${item}`. Reads text; resolves nothing.
import CairnCore

struct TemplateReferences: Sendable {
  /// Dotted paths, indices as parts: `layers.0.size`.
  private(set) var paths: Set<String> = []

  /// Of every text in the document but those in `vars`.
  init(_ document: MarkedValue) {
    for entry in document.entries ?? [] where entry.key.string != "vars" { collect(entry.value) }
  }

  private mutating func collect(_ value: MarkedValue) {
    switch value.node {
    case .scalar(.string(let text)): collect(text)
    case .scalar: break
    case .list(let items): for item in items { collect(item) }
    case .map(let entries):
      for entry in entries {
        collect(entry.key)
        collect(entry.value)
      }
    }
  }

  private mutating func collect(_ text: String) {
    var rest = text[...]
    while let open = rest.firstRange(of: "${") {
      rest = rest[open.upperBound...]
      guard let end = rest.firstIndex(of: "}") else { return }
      let path = rest[..<end].replacing("[", with: ".").replacing("]", with: "")
      paths.insert(String(path).split(separator: ".").map { String($0).trimmingWhitespace() }.joined(separator: "."))
      rest = rest[end...]
    }
  }
}

extension String {
  fileprivate func trimmingWhitespace() -> String {
    String(drop(while: \.isWhitespace).reversed().drop(while: \.isWhitespace).reversed())
  }
}
