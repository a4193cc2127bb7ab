// Signature Version 4 of Amazon Web Services, over the request exactly as it is sent. Knows no credentials' source.
import CairnCore
import Crypto
import Synchronization

package struct AWSKeys: Hashable, Sendable {
  package var accessKeyID: String
  package var secretAccessKey: String
  /// Of temporary keys.
  package var sessionToken: String?

  package init(accessKeyID: String, secretAccessKey: String, sessionToken: String? = nil) {
    self.accessKeyID = accessKeyID
    self.secretAccessKey = secretAccessKey
    self.sessionToken = sessionToken
  }
}

/// - Source: AWS's "Signature Version 4 signing process"; `s3` signs the path as it is sent, every other service
///   encodes it once more. Held against vectors made with botocore.
package struct SigV4: Hashable, Sendable {
  package var region: String
  package var service: String

  package init(region: String, service: String) {
    self.region = region
    self.service = service
  }

  package static let unsignedPayload = "UNSIGNED-PAYLOAD"
  /// SHA-256 of nothing.
  package static let emptyPayload = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

  /// Which of a request's headers are part of what is signed.
  package enum SignedHeaders: Sendable {
    /// Those that mean something to the service.
    case needed
    /// All that are set.
    case all
  }

  /// Adds what a signed request carries.
  ///
  /// - Parameters:
  ///   - target: what `request.url` was made from.
  ///   - payload: SHA-256 of the body in hexadecimal, or `unsignedPayload`.
  ///   - time: `20260102T030405Z`.
  package func sign(
    _ request: inout HTTPRequest, _ target: HTTPTarget, keys: AWSKeys, payload: String, time: String,
    signing signed: SignedHeaders = .needed
  ) {
    request.headers["x-amz-date"] = time
    if service == "s3" { request.headers["x-amz-content-sha256"] = payload }
    if let token = keys.sessionToken { request.headers["x-amz-security-token"] = token }
    let (canonical, names) = canonicalRequest(request, target, payload, signed)
    let scope = "\(time.prefix(8))/\(region)/\(service)/aws4_request"
    let text = "AWS4-HMAC-SHA256\n\(time)\n\(scope)\n\(Self.sha256(canonical))"
    let signature = Hex.encode(Self.hmac(signingKey(keys, String(time.prefix(8))), text))
    request.headers["Authorization"] =
      "AWS4-HMAC-SHA256 Credential=\(keys.accessKeyID)/\(scope), SignedHeaders=\(names), Signature=\(signature)"
  }

  /// For the tests, too: the text of which the signature is made, and the names of the headers in it.
  func canonicalRequest(
    _ request: HTTPRequest, _ target: HTTPTarget, _ payload: String, _ signed: SignedHeaders = .needed
  ) -> (String, names: String) {
    var headers = request.headers.all.filter { signed == .all || Self.isSigned($0.name.lowercased()) }
      .map { ($0.name.lowercased(), Self.collapsed($0.value)) }
    headers.append(("host", target.hostHeader))
    headers.sort { $0.0.utf8.lexicographicallyPrecedes($1.0.utf8) }
    let names = headers.map(\.0).joined(separator: ";")
    let path = service == "s3" ? target.encodedPath : URLEncoding.encode(target.encodedPath, keeping: "/")
    let lines = [
      request.method, path, target.encodedQuery(sorted: true), headers.map { "\($0.0):\($0.1)\n" }.joined(), names, payload,
    ]
    return (lines.joined(separator: "\n"), names)
  }

  private static func isSigned(_ name: String) -> Bool {
    name.hasPrefix("x-amz-") || name == "content-md5" || name == "content-type" || name.hasPrefix("if-")
  }

  /// Trimmed, runs of blanks made one.
  private static func collapsed(_ value: String) -> String {
    value.utf8.contains(0x20) ? value.split(separator: " ", omittingEmptySubsequences: true).joined(separator: " ") : value
  }

  private struct Derivation: Hashable {
    var secret: String
    var day: String
    var signer: SigV4
  }

  /// The same for all requests of a day.
  private static let known = Mutex<(Derivation, [UInt8])?>(nil)

  func signingKey(_ keys: AWSKeys, _ day: String) -> [UInt8] {
    let wanted = Derivation(secret: keys.secretAccessKey, day: day, signer: self)
    if let (derivation, key) = Self.known.withLock({ $0 }), derivation == wanted { return key }
    let key = derivedKey(keys, day)
    Self.known.withLock { $0 = (wanted, key) }
    return key
  }

  private func derivedKey(_ keys: AWSKeys, _ day: String) -> [UInt8] {
    var key = Array(("AWS4" + keys.secretAccessKey).utf8)
    for word in [day, region, service, "aws4_request"] { key = Self.hmac(key, word) }
    return key
  }

  private static func hmac(_ key: [UInt8], _ text: String) -> [UInt8] {
    Array(HMAC<SHA256>.authenticationCode(for: Array(text.utf8), using: SymmetricKey(data: key)))
  }

  private static func sha256(_ text: String) -> String { Hex.encode(Array(SHA256.hash(data: Array(text.utf8)))) }
}
