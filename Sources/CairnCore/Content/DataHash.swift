// The hash that DVC recorded of some data. Mostly it names an object of the cache; data that is only referred to has
// whatever its storage gave.

package enum DataHash: Hashable, Sendable {
  case content(ContentHash)
  /// `etag`, `checksum`, …
  case other(name: String, text: String)

  /// `nil` where no hash is recorded.
  package init?(_ file: LockedFile?) {
    if let hash = file?.contentHash {
      self = .content(hash)
    } else if let name = file?.hashName, let text = file?.hashText, !text.isEmpty {
      self = .other(name: name, text: text)
    } else {
      return nil
    }
  }

  package var content: ContentHash? { if case .content(let hash) = self { hash } else { nil } }

  /// As DVC shows it.
  package var text: String {
    switch self {
    case .content(let hash): hash.text
    case .other(_, let text): text
    }
  }

  package var isDirectory: Bool {
    switch self {
    case .content(let hash): hash.isDirectory
    case .other(_, let text): text.hasSuffix(".dir")
    }
  }
}
