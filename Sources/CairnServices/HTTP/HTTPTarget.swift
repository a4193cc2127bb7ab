// Where a request goes, in its parts, and the URL that they make. Encodes; cleans nothing.
import CairnCore

package struct HTTPTarget: Hashable, Sendable {
  /// `http` or `https`.
  package var scheme: String
  package var host: String
  package var port: Int?
  /// As meant, not encoded; begins with `/`.
  package var path: String
  package var query: [Item] = []

  package struct Item: Hashable, Sendable {
    package var name: String
    package var value: String

    package init(_ name: String, _ value: String = "") {
      self.name = name
      self.value = value
    }
  }

  package init(scheme: String, host: String, port: Int? = nil, path: String, query: [Item] = []) {
    self.scheme = scheme
    self.host = host
    self.port = port
    self.path = path
    self.query = query
  }

  /// An address as users write one: `https://host:9000/base`. `nil` for another scheme, and for one without a host, with
  /// a user in it, or with a port that is none.
  package init?(_ text: String) {
    guard let colon = text.firstRange(of: "://") else { return nil }
    scheme = text[..<colon.lowerBound].lowercased()
    guard scheme == "http" || scheme == "https" else { return nil }
    let rest = text[colon.upperBound...].prefix { $0 != "?" && $0 != "#" }
    let authority = rest.prefix { $0 != "/" }
    path = String(rest[authority.endIndex...])
    if path.isEmpty { path = "/" }
    guard !authority.isEmpty, !authority.contains("@") else { return nil }
    if let bracket = authority.lastIndex(of: "]") {
      host = String(authority[...bracket])
      let behind = authority[authority.index(after: bracket)...]
      guard behind.isEmpty || behind.hasPrefix(":") else { return nil }
      port = behind.isEmpty ? nil : Int(behind.dropFirst())
      if !behind.isEmpty, port == nil { return nil }
    } else {
      let parts = authority.split(separator: ":", omittingEmptySubsequences: false)
      guard parts.count <= 2, !parts[0].isEmpty else { return nil }
      host = String(parts[0])
      port = parts.count == 2 ? Int(parts[1]) : nil
      if parts.count == 2, port == nil { return nil }
    }
    if let port, !(1...65535).contains(port) { return nil }
  }

  /// The host, with its port where that is not the scheme's own.
  package var hostHeader: String {
    let standard = scheme == "https" ? 443 : 80
    return port.map { $0 == standard ? host : "\(host):\($0)" } ?? host
  }

  package var encodedPath: String { URLEncoding.encode(path, keeping: "/") }

  package func encodedQuery(sorted: Bool = false) -> String {
    var items = query.map { (URLEncoding.encode($0.name), URLEncoding.encode($0.value)) }
    if sorted { items.sort { ($0.0, $0.1) < ($1.0, $1.1) } }
    return items.map { "\($0)=\($1)" }.joined(separator: "&")
  }

  package var url: String {
    let query = encodedQuery()
    return "\(scheme)://\(hostHeader)\(encodedPath)" + (query.isEmpty ? "" : "?" + query)
  }

  /// A path below this one.
  package func appending(_ path: String) -> HTTPTarget {
    var target = self
    target.path = (self.path.hasSuffix("/") ? String(self.path.dropLast()) : self.path) + "/" + path
    return target
  }
}

package enum URLEncoding {
  /// Each byte that is no letter, digit, `-`, `.`, `_`, `~` or kept becomes `%XX`.
  ///
  /// - Source: RFC 3986, 2.3; as Signature Version 4 asks for it.
  package static func encode(_ text: String, keeping kept: String = "") -> String {
    let kept = kept.utf8
    if text.utf8.allSatisfy({ isPlain($0) || kept.contains($0) }) { return text }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(text.utf8.count + 32)
    for byte in text.utf8 {
      if isPlain(byte) || kept.contains(byte) {
        bytes.append(byte)
      } else {
        bytes.append(UInt8(ascii: "%"))
        bytes.append(digits[Int(byte >> 4)])
        bytes.append(digits[Int(byte & 15)])
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  private static let digits = Array("0123456789ABCDEF".utf8)

  private static func isPlain(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "~"):
      true
    default: false
    }
  }

  /// As forms are encoded, where a `+` is a blank: S3's listings are. `nil` where a `%` is not followed by two digits, or
  /// what comes out is not UTF-8.
  package static func decodeForm(_ text: String) -> String? {
    var bytes: [UInt8] = []
    var rest = Array(text.utf8)[...]
    while let byte = rest.popFirst() {
      guard byte == UInt8(ascii: "%") else {
        bytes.append(byte == UInt8(ascii: "+") ? 0x20 : byte)
        continue
      }
      guard let high = rest.popFirst().flatMap(Hex.value), let low = rest.popFirst().flatMap(Hex.value) else { return nil }
      bytes.append(high << 4 | low)
    }
    return String(validating: bytes, as: UTF8.self)
  }
}
