// Calls of MLflow's REST API, one at a time, and in words what goes wrong. Knows no records.
package import CairnCore
import CairnEngine
import CairnFormats
import CairnSystem
import Synchronization

/// Why a call did not do what it should.
package struct MLflowFailure: Error, Sendable {
  package enum Kind: Sendable {
    /// Nobody answers, or asks for less: nothing else would get through now.
    case unreachable
    /// It answers with a fault of its own, or with what is no answer. This call may go better later.
    case server
    /// It does not take this, and never will.
    case refused
    /// It does not take us.
    case unauthorized
    /// Too much at once.
    case tooLarge
  }

  package var kind: Kind
  package var status: Int?
  /// `RESOURCE_DOES_NOT_EXIST`, …; empty where the answer is none of MLflow's.
  package var code: String
  package var words: String
  /// Whether the call may have been carried out all the same.
  package var isInDoubt: Bool { kind == .unreachable || kind == .server }

  package init(_ kind: Kind, status: Int? = nil, code: String = "", words: String) {
    self.kind = kind
    self.status = status
    self.code = code
    self.words = words
  }
}

package struct MLflowClient: Sendable {
  package let server: MLflowServer
  private let transport: any HTTPTransport
  /// Seconds to a connection, and without a byte.
  private let connectTimeout: Int
  private let stallTimeout: Int
  private let policy: RetryPolicy

  /// - Parameter attempts: how often what may go better is tried in one call.
  package init(
    _ server: MLflowServer, transport: any HTTPTransport, connectTimeout: Int = 5, stallTimeout: Int = 30, attempts: Int = 4
  ) {
    self.server = server
    self.transport = transport
    self.connectTimeout = connectTimeout
    self.stallTimeout = stallTimeout
    var policy = RetryPolicy()
    policy.attempts = attempts
    policy.base = 0.3
    self.policy = policy
  }

  private static let root = "api/2.0/mlflow/"

  package func get(_ path: String, _ query: [HTTPTarget.Item] = []) throws(MLflowFailure) -> Value {
    var target = server.base.appending(Self.root + path)
    target.query = query
    return try json("GET", target, nil, repeats: true)
  }

  /// - Parameter repeats: whether sending it twice does no harm.
  package func post(_ path: String, _ body: ValueMap, repeats: Bool = true) throws(MLflowFailure) -> Value {
    try json("POST", server.base.appending(Self.root + path), .map(body), repeats: repeats)
  }

  private func json(
    _ method: String, _ target: HTTPTarget, _ body: Value?, repeats: Bool
  ) throws(MLflowFailure) -> Value {
    let bytes = body.map { JSONWriter.bytes($0, ensureASCII: true) }
    let answer = try send(method, target, bytes.map { .bytes($0) } ?? .none, type: "application/json", repeats: repeats)
    // A proxy's page, or half an answer, with a status that says all is well.
    guard let value = try? JSONReader.value(answer.body, name: "answer"), value.map != nil else { throw garbled(answer) }
    return value
  }

  private func garbled(_ answer: HTTPResponse) -> MLflowFailure {
    let words = Self.excerpt(answer)
    return MLflowFailure(
      .server, status: answer.status,
      words: "what \(server.place) answers is not MLflow's: " + (words.isEmpty ? "\(answer.body.count) bytes" : words))
  }

  /// Puts a file below the artifacts of a run.
  ///
  /// - Parameters:
  ///   - root: the run's `artifact_uri`.
  ///   - path: relative, `/` between its parts.
  package func putArtifact(_ path: String, below root: String, _ body: HTTPBody) throws(MLflowFailure) {
    guard root.hasPrefix("mlflow-artifacts:") else {
      throw MLflowFailure(.refused, words: "artifacts lie at \(TrackingSettings.withoutUser(root)), where the server takes none itself")
    }
    let target = Self.artifact(path, below: root, server)
    let answer = try send("PUT", target, body, type: "application/octet-stream", repeats: true)
    // MLflow answers nothing, or `{}`; a login page, too, comes with a status that says all is well.
    let isMLflows = answer.body.isEmpty || (try? JSONReader.value(answer.body, name: "answer"))?.map != nil
    if !isMLflows { throw garbled(answer) }
  }

  /// A file below the artifacts of a run; `nil` when it is not there, or lies where the server does not give it.
  package func artifact(_ path: String, below root: String) throws(MLflowFailure) -> [UInt8]? {
    guard root.hasPrefix("mlflow-artifacts:") else { return nil }
    do throws(MLflowFailure) {
      return try send("GET", Self.artifact(path, below: root, server), .none, type: "application/json", repeats: true).body
    } catch where error.status == 404 {
      return nil
    }
  }

  private static func artifact(_ path: String, below root: String, _ server: MLflowServer) -> HTTPTarget {
    var inside = root.dropFirst("mlflow-artifacts:".count)
    if inside.hasPrefix("//") { inside = inside.dropFirst(2).drop { $0 != "/" } }
    let folder = inside.split(separator: "/").joined(separator: "/")
    // Clients clean such parts away before they send: they would lead elsewhere.
    let parts = path.split(separator: "/").filter { $0 != "." && $0 != ".." }
    return server.base.appending("api/2.0/mlflow-artifacts/artifacts/" + folder + "/" + parts.joined(separator: "/"))
  }

  private func send(
    _ method: String, _ target: HTTPTarget, _ body: HTTPBody, type: String, repeats: Bool
  ) throws(MLflowFailure) -> HTTPResponse {
    var tries = 0
    var hasRenewed = false
    while true {
      tries += 1
      let failure: MLflowFailure
      var wait: Double?
      do throws(HTTPFailure) {
        let answer = try transport.send(try request(method, target, body, type))
        if answer.isSuccess { return answer }
        failure = Self.failure(answer, server.place)
        wait = answer.headers["Retry-After"].flatMap { Double($0) }
        if failure.kind == .unauthorized, server.isSigned, !hasRenewed {
          hasRenewed = true
          server.forgetKeys()
          continue
        }
      } catch {
        if error.kind == .library || error.kind == .untrusted || error.kind == .local {
          throw MLflowFailure(.unauthorized, words: "'\(server.place)': \(error.words)")
        }
        failure = MLflowFailure(.unreachable, words: "'\(server.place)' does not answer: \(error.words)")
      }
      guard failure.isInDoubt, repeats, tries < policy.attempts else { throw failure }
      Pause.seconds(min(wait ?? policy.wait(after: tries - 1, isThrottled: failure.status == 429), 10))
    }
  }

  private func request(
    _ method: String, _ target: HTTPTarget, _ body: HTTPBody, _ type: String
  ) throws(HTTPFailure) -> HTTPRequest {
    var headers: HTTPHeaders = [:]
    headers["Content-Type"] = type
    let payload: String
    switch body {
    case .none: payload = SigV4.emptyPayload
    case .bytes(let bytes): payload = PayloadHash.sha256(bytes)
    case .file: payload = SigV4.unsignedPayload
    }
    do {
      var request = try server.prepare(method, target, headers: headers, body: body, payload: payload)
      request.connectTimeout = connectTimeout
      request.stallTimeout = stallTimeout
      return request
    } catch {
      throw HTTPFailure(.library, error.fullMessage)
    }
  }

  /// - Source: the error codes of MLflow 3; anything else between it and us answers in its own words.
  private static func failure(_ answer: HTTPResponse, _ place: String) -> MLflowFailure {
    let document = try? JSONReader.value(answer.body, name: "answer")
    let code = document?["error_code"]?.string ?? ""
    let words = document?["message"]?.string.map { String($0.prefix(300)) } ?? excerpt(answer)
    let kind: MLflowFailure.Kind
    switch answer.status {
    case 401: kind = .unauthorized
    // A server's own 403 names what is not permitted; a host that is not allowed is none of one call.
    case 403: kind = .unauthorized
    case 413: kind = .tooLarge
    case 408, 429, 502, 503, 504: kind = .unreachable
    case 500...: kind = .server
    // A path that is not there: no MLflow, or a prefix that is missing.
    case 404 where code.isEmpty, 405 where code.isEmpty: kind = .server
    case 300..<400: kind = .server
    default: kind = .refused
    }
    let text = "'\(place)' answers \(answer.status)" + (code.isEmpty ? "" : " \(code)") + (words.isEmpty ? "" : ": \(words)")
    return MLflowFailure(kind, status: answer.status, code: code, words: text)
  }

  /// The first words of a page, on one line.
  private static func excerpt(_ answer: HTTPResponse) -> String {
    var text = ""
    var isInTag = false
    for character in String(decoding: answer.body.prefix(2000), as: UTF8.self) {
      if character == "<" { isInTag = true }
      if !isInTag { text.append(character.isWhitespace ? " " : character) }
      if character == ">" { isInTag = false }
    }
    return String(text.split(separator: " ").joined(separator: " ").prefix(120))
  }
}
