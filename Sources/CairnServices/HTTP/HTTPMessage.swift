// A request and an answer of HTTP as values. Knows no service and no library.
import CairnCore

package struct HTTPHeader: Hashable, Sendable {
  package var name: String
  package var value: String

  package init(_ name: String, _ value: String) {
    self.name = name
    self.value = value
  }
}

package struct HTTPHeaders: Sendable, ExpressibleByDictionaryLiteral {
  package private(set) var all: [HTTPHeader] = []

  package init() {}
  package init(dictionaryLiteral elements: (String, String)...) { all = elements.map(HTTPHeader.init) }

  /// Names count in any case; of several headers of a name the last.
  package subscript(name: String) -> String? {
    get { all.last { Self.isSame($0.name, name) }?.value }
    set {
      all.removeAll { Self.isSame($0.name, name) }
      if let newValue { all.append(HTTPHeader(name, newValue)) }
    }
  }

  /// With those of `others`, which count where both have one.
  package func merging(_ others: HTTPHeaders) -> HTTPHeaders {
    var merged = self
    for header in others.all { merged[header.name] = header.value }
    return merged
  }

  /// Beside others of its name.
  package mutating func append(_ header: HTTPHeader) { all.append(header) }

  /// Names are ASCII; each answer brings a dozen of them.
  private static func isSame(_ a: String, _ b: String) -> Bool {
    func lower(_ byte: UInt8) -> UInt8 { (0x41...0x5A).contains(byte) ? byte | 0x20 : byte }
    let (a, b) = (a.utf8, b.utf8)
    return a.count == b.count && zip(a, b).allSatisfy { lower($0) == lower($1) }
  }
}

package enum HTTPBody: Sendable {
  case none
  case bytes([UInt8])
  /// So many bytes of a file, from an offset on.
  case file(path: String, offset: UInt64, count: UInt64)

  package var count: UInt64 {
    switch self {
    case .none: 0
    case .bytes(let bytes): UInt64(bytes.count)
    case .file(_, _, let count): count
    }
  }
}

/// How the other side of TLS is known.
package enum TLSTrust: Hashable, Sendable {
  /// By the machine's own authorities.
  case system
  /// By those of a file of PEM certificates.
  case authorities(String)
  /// Not at all: somebody asked for that.
  case anyone
}

package struct HTTPRequest: Sendable {
  package var method: String
  /// Sent byte for byte: nothing is decoded, joined or cleaned.
  package var url: String
  package var headers: HTTPHeaders
  package var body = HTTPBody.none
  package var trust = TLSTrust.system
  /// A file of PEM with our own certificate and its key, for a server that asks for one.
  package var clientCertificate: String?
  /// Seconds until there is a connection, and without a byte in either direction.
  package var connectTimeout = 10
  package var stallTimeout = 60

  package init(_ method: String, _ url: String, headers: HTTPHeaders = [:], body: HTTPBody = .none) {
    self.method = method
    self.url = url
    self.headers = headers
    self.body = body
  }
}

package struct HTTPResponse: Sendable {
  package var status: Int
  package var headers: HTTPHeaders
  /// What no sink took.
  package var body: [UInt8]

  package var text: String { String(decoding: body, as: UTF8.self) }
  package var isSuccess: Bool { (200..<300).contains(status) }
}

/// Why there is no answer, or no whole one.
package struct HTTPFailure: Error, Sendable {
  package enum Kind: Sendable {
    /// No such host.
    case unknownHost
    /// Nobody answers there.
    case noConnection
    /// The other side is not who it should be, or TLS failed.
    case untrusted
    /// Too slow.
    case timeout
    /// It broke off.
    case reset
    /// Our own side gave up: a file could not be read or written.
    case local
    /// The library is missing, or refuses.
    case library
  }

  package var kind: Kind
  package var words: String

  package init(_ kind: Kind, _ words: String) {
    self.kind = kind
    self.words = words
  }

  /// Another try may go better.
  package var isTransient: Bool {
    switch kind {
    case .noConnection, .timeout, .reset, .unknownHost: true
    case .untrusted, .local, .library: false
    }
  }
}

/// Takes the body of a good answer as it comes.
package protocol HTTPSink: AnyObject {
  /// Called once for each answer, before its body. False: it is not wanted, and the exchange ends.
  func begin(_ status: Int, _ headers: HTTPHeaders) -> Bool
  func receive(_ bytes: UnsafeRawBufferPointer) -> Bool
}

/// Sends one request and waits for its answer. Redirections are answers like others.
package protocol HTTPTransport: Sendable {
  /// - Parameters:
  ///   - sink: gets the body of an answer with a status of 200 to 299.
  ///   - sent: told of bytes of the body that went out; negative when some go out again.
  func send(_ request: HTTPRequest, to sink: (any HTTPSink)?, sent: ((Int) -> Void)?) throws(HTTPFailure) -> HTTPResponse
}

extension HTTPTransport {
  package func send(_ request: HTTPRequest) throws(HTTPFailure) -> HTTPResponse { try send(request, to: nil, sent: nil) }
}
