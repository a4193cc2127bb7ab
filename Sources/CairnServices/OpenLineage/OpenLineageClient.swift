// Posts OpenLineage events to whoever collects them, one a request, and says in words what goes wrong. Knows nothing of
// what is in an event; the order is the caller's.
package import CairnCore
import CairnFormats
import CairnSystem

/// The API key goes into a header and nowhere else: into no message, and to no other host.
package struct OpenLineageClient: Sendable {
  private let target: HTTPTarget
  private let key: String?
  private let transport: any HTTPTransport
  private let policy: RetryPolicy

  /// As OpenLineage's own clients name them.
  package enum Variable {
    package static let url = "OPENLINEAGE_URL"
    package static let endpoint = "OPENLINEAGE_ENDPOINT"
    package static let key = "OPENLINEAGE_API_KEY"
  }

  /// Six tries in some nine seconds, as the Python client has them.
  package static let standardPolicy: RetryPolicy = {
    var policy = RetryPolicy()
    policy.attempts = 6
    policy.base = 0.6
    policy.throttledBase = 0.6
    return policy
  }()

  /// - Parameters:
  ///   - url: of the server, with the endpoint's path behind it or not.
  ///   - endpoint: `api/v1/lineage` where nobody says otherwise.
  /// - Throws: `openlineage` for what is no address, or has a user or password in it.
  package init(
    url: String, endpoint: String?, key: String?, transport: any HTTPTransport, policy: RetryPolicy = standardPolicy
  ) throws(Diagnostic) {
    guard let target = HTTPTarget(url) else { throw .noAddress(url) }
    let endpoint = endpoint.flatMap { $0.isEmpty ? nil : $0 } ?? "api/v1/lineage"
    let path = "/" + endpoint.split(separator: "/").joined(separator: "/")
    let given = target.path.hasSuffix("/") ? String(target.path.dropLast()) : target.path
    var full = target
    full.path = given.hasSuffix(path) ? given : given + path
    self.target = full
    self.key = key.flatMap { $0.isEmpty ? nil : $0 }
    self.transport = transport
    self.policy = policy
  }

  /// Where events go, for people.
  package var address: String { target.url }

  /// Sends one event and waits until it was taken.
  ///
  /// What may pass (500, 502, 503, 504, a broken connection) is tried again; what was refused is not, nor is an answer of
  /// 429, which asks for less.
  ///
  /// - Throws: `openlineage`: the event was not taken, or nobody knows whether it was; `openlineage-event`: this event is
  ///   refused, and others may be taken.
  package func post(_ event: [UInt8]) throws(Diagnostic) {
    var tries = 0
    while true {
      tries += 1
      let fault: Diagnostic
      let mayPass: Bool
      do throws(HTTPFailure) {
        let answer = try transport.send(request(event))
        if answer.isSuccess { return }
        mayPass = [500, 502, 503, 504].contains(answer.status)
        fault = refusal(answer, tries: tries)
      } catch {
        mayPass = error.isTransient
        fault = unreachable(error, tries: tries)
      }
      guard mayPass, tries < policy.attempts else { throw fault }
      Pause.seconds(policy.wait(after: tries - 1, isThrottled: false))
    }
  }

  private func request(_ event: [UInt8]) -> HTTPRequest {
    var headers: HTTPHeaders = ["Content-Type": "application/json"]
    if let key { headers["Authorization"] = "Bearer " + key }
    var request = HTTPRequest("POST", target.url, headers: headers, body: .bytes(event))
    request.connectTimeout = 5
    request.stallTimeout = 5
    return request
  }

  // MARK: What went wrong

  private func refusal(_ answer: HTTPResponse, tries: Int) -> Diagnostic {
    let isOfEvent = [400, 413, 422].contains(answer.status)
    var diagnostic = Diagnostic(
      isOfEvent ? .openLineageEvent : .openLineage, "'\(target.hostHeader)' answered \(answer.status) to an OpenLineage event" + Self.times(tries))
    let words = withoutKey(answer.text.split(whereSeparator: \.isNewline).first.map { String($0.prefix(200)) } ?? "")
    if !words.isEmpty { diagnostic = diagnostic.because(of: Diagnostic(.openLineage, words)) }
    return switch answer.status {
    case 401, 403:
      diagnostic.hinting(
        key == nil ? "set \(Variable.key)" : "is the key in \(Variable.key) right, and may it write?")
    case 404, 405: diagnostic.hinting("is the path right? events go to \(address); \(Variable.endpoint) names another")
    case 300..<400: diagnostic.hinting("it sends elsewhere, where the key would follow: give the final address")
    case 429: diagnostic.hinting("it asks for fewer events: go on later")
    default: diagnostic
    }
  }

  private func unreachable(_ failure: HTTPFailure, tries: Int) -> Diagnostic {
    let diagnostic: Diagnostic =
      switch failure.kind {
      case .unknownHost, .noConnection:
        Diagnostic(.openLineage, "cannot connect to '\(target.hostHeader)'" + Self.times(tries))
          .hinting("is the address right, and does the server run?")
      case .untrusted: Diagnostic(.openLineage, "'\(target.hostHeader)' cannot be trusted")
      case .timeout, .reset: Diagnostic(.openLineage, "'\(target.hostHeader)' broke off" + Self.times(tries))
      case .local, .library: Diagnostic(.openLineage, "cannot send an OpenLineage event")
      }
    return diagnostic.because(of: Diagnostic(.openLineage, withoutKey(failure.words)))
  }

  private static func times(_ tries: Int) -> String { tries > 1 ? ", \(tries) times" : "" }

  /// A server may say again what it was given.
  private func withoutKey(_ words: String) -> String { key.map { words.replacing($0, with: "…") } ?? words }
}

extension Diagnostic.Code {
  /// An OpenLineage event did not reach its collector.
  package static let openLineage = Diagnostic.Code("openlineage")
  /// The collector refuses this event.
  package static let openLineageEvent = Diagnostic.Code("openlineage-event")
}

extension Diagnostic {
  fileprivate static func noAddress(_ url: String) -> Diagnostic {
    // It may have a password in it.
    let shown = url.contains("@") ? "the address of the OpenLineage server" : "'\(url)'"
    return Diagnostic(.openLineage, "\(shown) is no http or https address without a user in it")
      .hinting("as https://lineage.example.org; a key goes into \(OpenLineageClient.Variable.key)")
  }
}
