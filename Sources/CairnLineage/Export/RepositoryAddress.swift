// What a git repository is called in exports: the same whoever cloned it and by which protocol, and nobody's password.
import CairnCore
import CairnSystem

struct RepositoryAddress {
  /// The repository without `.git`: `https://host/team/name`, also of one that is reached by ssh; `git:` and the root
  /// commit where it has no remote. A URI.
  let uri: String
  /// The same as a name space: what is encoded in the one address and plain in the other is one name.
  let namespace: String
  /// As git is asked for it, without credentials; `nil` without a remote.
  let url: String?

  /// - Parameter recorded: `source.repository` of a record; older ones may have credentials in it.
  init?(_ recorded: String?) {
    guard let recorded, !recorded.isEmpty else { return nil }
    if [40, 64].contains(recorded.utf8.count), recorded.utf8.allSatisfy({ "0123456789abcdef".utf8.contains($0) }) {
      url = nil
      uri = "git:" + recorded
      namespace = uri
      return
    }
    let clean = GitRepository.withoutCredentials(recorded)
    var place: String
    if let scheme = clean.firstRange(of: "://") {
      let rest = String(clean[scheme.upperBound...])
      switch clean[..<scheme.lowerBound].lowercased() {
      case "http": place = "http://" + rest
      case "file": place = "file://" + rest
      case "https": place = "https://" + rest
      default: place = "https://" + Self.withoutUserAndPort(rest)
      }
      url = clean
    } else if let colon = clean.firstIndex(of: ":"), !clean[..<colon].contains("/") {
      // `git@host:team/name.git`.
      let path = clean[clean.index(after: colon)...].drop { $0 == "/" }
      place = "https://" + Self.withoutUserAndPort(String(clean[..<colon]) + "/" + path)
      url = clean
    } else if clean.hasPrefix("/") {
      place = "file://" + clean
      url = clean
    } else {
      // Relative to a folder that nobody else knows.
      return nil
    }
    while place.hasSuffix("/") { place.removeLast() }
    if place.hasSuffix(".git"), !place.hasSuffix("/.git") { place.removeLast(4) }
    uri = ExportText.uri(place)
    namespace = ExportText.namespace(Self.decoded(place))
  }

  private static func withoutUserAndPort(_ text: some StringProtocol) -> String {
    let authority = text.prefix { $0 != "/" }
    let path = text[authority.endIndex...]
    let host = authority.lastIndex(of: "@").map { authority[authority.index(after: $0)...] } ?? authority
    return String(host.prefix { $0 != ":" }) + String(path)
  }

  private static func decoded(_ text: String) -> String {
    var bytes: [UInt8] = []
    var rest = FileName.bytes(text)[...]
    while let byte = rest.popFirst() {
      if byte == UInt8(ascii: "%"), let code = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16), rest.count > 1 {
        bytes.append(code)
        rest = rest.dropFirst(2)
      } else {
        bytes.append(byte)
      }
    }
    return FileName.escape(bytes)
  }

  /// Where a file is read in a commit; the repository itself where that cannot be said.
  func page(of path: String, in commit: String?) -> String {
    guard let commit, uri.hasPrefix("http") else { return uri }
    return uri + "/blob/" + commit + "/" + ExportText.uriPath(path)
  }

  /// `name` of `https://host/team/name`.
  var name: String? {
    guard url != nil else { return nil }
    return Self.decoded(uri).split(separator: "/").last.map(String.init)
  }
}
