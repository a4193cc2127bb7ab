// Requests to one bucket of S3 or of what speaks its protocol: signed, tried again where that helps, and what goes wrong
// said in words. Knows no layout of keys.
package import CairnCore
import CairnFormats
import CairnStore
import CairnSystem
import Synchronization

package final class S3Client: Sendable {
  private let transport: any HTTPTransport
  /// `nil`: requests are not signed.
  private let chain: AWSCredentialChain?
  private let trust: TLSTrust
  private let connectTimeout: Int
  private let stallTimeout: Int
  private let policy: RetryPolicy
  private let budget = RetryBudget()
  private let outage: ServerOutage
  private let state: Mutex<State>

  private struct State {
    var address: S3Address
    /// How much later the service's clock is.
    var clockOffset: Nanoseconds = 0
    /// Something was found in it, or written into it.
    var isBucketKnown = false
  }

  package init(
    _ address: S3Address, _ chain: AWSCredentialChain?, transport: any HTTPTransport, trust: TLSTrust = .system,
    connectTimeout: Int = 10, stallTimeout: Int = 60, policy: RetryPolicy = RetryPolicy()
  ) {
    state = Mutex(State(address: address))
    self.chain = chain
    self.transport = transport
    self.trust = trust
    self.connectTimeout = connectTimeout
    self.stallTimeout = stallTimeout
    self.policy = policy
    outage = ServerOutage(patience: policy.outage)
  }

  package var bucket: String { state.withLock { $0.address.bucket } }
  package var usesTLS: Bool { state.withLock { $0.address.target(nil).scheme == "https" } }

  package struct Call: Sendable {
    package var method: String
    /// AWS's name of the operation, for messages.
    package var operation: String
    package var key: String?
    package var query: [HTTPTarget.Item] = []
    package var headers: HTTPHeaders = [:]
    package var body = HTTPBody.none
    /// SHA-256 of the body in hexadecimal, where it is known; asked for over plain HTTP.
    package var payload: String?
    /// Answers beside 200 to 299 that the caller understands.
    package var accepted: Set<Int> = []
    /// The same, by the code in the answer's body.
    package var acceptedErrors: Set<String> = []

    package init(_ method: String, _ operation: String, key: String? = nil, query: [HTTPTarget.Item] = []) {
      self.method = method
      self.operation = operation
      self.key = key
      self.query = query
    }
  }

  /// - Parameters:
  ///   - prepare: called before each try, for headers that change (a range), and for a sink that begins anew.
  /// - Throws: what another try would not mend, in words.
  package func send(
    _ call: Call, sent: ((Int) -> Void)? = nil, prepare: () throws(Diagnostic) -> (HTTPHeaders, (any HTTPSink)?) = { ([:], nil) }
  ) throws(Diagnostic) -> HTTPResponse {
    var failures = 0
    var taken = 0
    var excused = 0
    var mended: Set<Mending> = []
    var tries = 0
    while true {
      let (more, sink) = try prepare()
      let request = request(call, more, try chain?.credentials())
      let outcome: Outcome
      var count = 0
      do throws(HTTPFailure) {
        let answer = try transport.send(request, to: sink, sent: sent.map { sent in { count += $0; sent($0) } })
        if answer.isSuccess && !isHiddenError(answer, call) || call.accepted.contains(answer.status)
          || !call.acceptedErrors.isEmpty && S3Error(answer).map({ call.acceptedErrors.contains($0.code) }) ?? false
        {
          budget.giveBack(taken)
          outage.answered()
          if answer.isSuccess { state.withLock { $0.isBucketKnown = true } }
          return answer
        }
        outcome = .answer(answer)
      } catch {
        outcome = .failure(error)
      }
      // What went out goes out again.
      if count != 0 { sent?(-count) }
      tries += 1
      let verdict = try judge(outcome, call, &mended)
      switch verdict {
      case .again: continue
      case .later where outage.excuses(isConnection: outcome.isWithoutConnection):
        Pause.seconds(policy.outageWait(after: excused))
        excused += 1
      case .later(let isThrottled):
        guard failures + 1 < policy.attempts, let cost = budget.take(isThrottled: isThrottled) else {
          throw try error(outcome, call, attempts: tries)
        }
        taken += cost
        Pause.seconds(policy.wait(after: failures, isThrottled: isThrottled))
        failures += 1
      case .never: throw try error(outcome, call, attempts: tries)
      }
    }
  }

  /// What is not there may be missing with its whole bucket, which the answer to HEAD does not tell. It is asked for only
  /// while nothing was found in it.
  func hasBucket() throws(Diagnostic) -> Bool {
    if state.withLock(\.isBucketKnown) { return true }
    var call = Call("GET", "ListObjectsV2", query: [.init("list-type", "2"), .init("max-keys", "1")])
    // Whoever may not list may still read.
    call.accepted = [403, 404]
    let isThere = S3Error(try send(call))?.code != "NoSuchBucket"
    if isThere { state.withLock { $0.isBucketKnown = true } }
    return isThere
  }

  /// - Parameter credentials: `nil`: nobody signs it.
  private func request(_ call: Call, _ more: HTTPHeaders, _ credentials: AWSCredentials?) -> HTTPRequest {
    let (address, offset) = state.withLock { ($0.address, $0.clockOffset) }
    let target = address.target(call.key, call.query)
    var request = HTTPRequest(call.method, target.url, headers: call.headers, body: call.body)
    for header in more.all { request.headers[header.name] = header.value }
    request.trust = trust
    request.connectTimeout = connectTimeout
    request.stallTimeout = stallTimeout
    guard let credentials else { return request }
    let payload: String
    switch call.body {
    case .none: payload = SigV4.emptyPayload
    case .bytes(let bytes): payload = PayloadHash.sha256(bytes)
    case .file: payload = call.payload ?? SigV4.unsignedPayload
    }
    SigV4(region: address.region, service: "s3").sign(
      &request, target, keys: credentials.keys, payload: payload, time: AWSTime.now(offset: offset))
    return request
  }

  // MARK: What went wrong

  private enum Outcome {
    case answer(HTTPResponse)
    case failure(HTTPFailure)

    var isWithoutConnection: Bool { if case .failure(let failure) = self { failure.kind == .noConnection } else { false } }
  }

  private enum Verdict {
    /// At once: something was put right.
    case again
    case later(isThrottled: Bool)
    case never
  }

  /// What is put right once for a request.
  private enum Mending { case region, clock, keys, digest }

  /// Two operations may answer 200 and an error.
  private func isHiddenError(_ answer: HTTPResponse, _ call: Call) -> Bool {
    call.operation == "CompleteMultipartUpload" && S3Error(answer)?.code != nil
  }

  private func judge(_ outcome: Outcome, _ call: Call, _ mended: inout Set<Mending>) throws(Diagnostic) -> Verdict {
    switch outcome {
    case .failure(let failure): return failure.isTransient ? .later(isThrottled: false) : .never
    case .answer(let answer):
      let error = S3Error(answer)
      let code = error?.code ?? ""
      if let region = answer.headers["x-amz-bucket-region"] ?? error?.region,
        [301, 307, 400].contains(answer.status), mended.insert(.region).inserted, move(to: region)
      {
        return .again
      }
      if code == "RequestTimeTooSkewed", mended.insert(.clock).inserted, setClock(by: answer) { return .again }
      if ["ExpiredToken", "TokenRefreshRequired", "ExpiredTokenException"].contains(code), let chain,
        mended.insert(.keys).inserted
      {
        chain.forget()
        return .again
      }
      if ["BadDigest", "XAmzContentSHA256Mismatch", "IncompleteBody"].contains(code), mended.insert(.digest).inserted {
        return .again
      }
      if answer.status == 429 || ["SlowDown", "Throttling", "ThrottlingException", "RequestLimitExceeded", "BandwidthLimitExceeded"].contains(code) {
        return .later(isThrottled: true)
      }
      if [500, 502, 503, 504, 408].contains(answer.status) || code == "RequestTimeout" || code == "OperationAborted"
        || code == "InternalError"
      {
        return .later(isThrottled: answer.status == 503)
      }
      return .never
    }
  }

  private func move(to region: String) -> Bool {
    state.withLock { state in
      if state.address.region == region { return false }
      state.address.region = region
      return true
    }
  }

  private func setClock(by answer: HTTPResponse) -> Bool {
    guard let date = answer.headers["Date"].flatMap(HTTPDate.parse) else { return false }
    state.withLock { $0.clockOffset = date - WallClock.now() }
    return true
  }

  private func error(_ outcome: Outcome, _ call: Call, attempts: Int) throws(Diagnostic) -> Diagnostic {
    let address = state.withLock { $0.address }
    let host = address.target(nil).hostHeader
    switch outcome {
    case .failure(let failure):
      let tries = attempts > 1 ? ", \(attempts) times" : ""
      switch failure.kind {
      case .unknownHost, .noConnection:
        return Diagnostic(.remote, "Could not connect to the endpoint URL: \"\(address.target(nil).scheme)://\(host)\"")
          .because(of: Diagnostic(.remote, failure.words + tries))
          .hinting("is the remote's endpointurl right, and does the server run?")
      case .untrusted:
        return Diagnostic(.remote, "'\(host)' cannot be trusted").because(of: Diagnostic(.remote, failure.words))
          .hinting("name its authority: `cairn remote modify NAME ssl_verify /path/ca.pem`, or AWS_CA_BUNDLE")
      case .timeout, .reset:
        return Diagnostic(.remote, "'\(host)' broke off\(tries)").because(of: Diagnostic(.remote, failure.words))
      case .local, .library: return Diagnostic(.remote, failure.words)
      }
    case .answer(let answer):
      var error = S3Error(answer)
      // HEAD has no body to say it in.
      if error == nil, call.method == "HEAD", let key = call.key {
        var again = Call("GET", call.operation, key: key, query: call.query)
        again.headers = call.headers
        again.headers["Range"] = "bytes=0-0"
        let credentials = (try? chain?.credentials()) ?? nil
        if let told = try? transport.send(request(again, [:], credentials)) { error = S3Error(told) }
      }
      let code = error?.code ?? "\(answer.status)"
      var diagnostic = Diagnostic(
        .remote,
        "An error occurred (\(code)) when calling the \(call.operation) operation of the bucket '\(address.bucket)' at \(host)"
          + (attempts > 1 ? " (tried \(attempts) times)" : ""))
      if let message = error?.message, !message.isEmpty { diagnostic = diagnostic.because(of: Diagnostic(.remote, message)) }
      let source = (try? chain?.credentials().source) ?? nil
      if let hint = S3Error.hint(code, bucket: address.bucket, source: source) { diagnostic = diagnostic.hinting(hint) }
      return diagnostic
    }
  }
}

/// The error of an answer.
struct S3Error {
  var code: String
  var message: String
  var region: String?

  init?(_ answer: HTTPResponse) {
    guard let root = XMLElement(answer.body), root.name == "Error", let code = root["Code"]?.text else { return nil }
    self.code = code
    message = root["Message"]?.text ?? ""
    region = root["Region"]?.text
  }

  /// The next step.
  static func hint(_ code: String, bucket: String, source: String?) -> String? {
    let keys = source.map { "the keys of \($0)" } ?? "requests that nobody signs"
    switch code {
    case "NoSuchBucket": return "make the bucket '\(bucket)', or mend the remote's url"
    case "AccessDenied", "403": return "\(keys) may not do this: ask for the right, or use others"
    case "InvalidAccessKeyId": return "nobody there knows \(keys)"
    case "SignatureDoesNotMatch": return "the secret of \(keys) is not the one that belongs to their id"
    case "ExpiredToken", "TokenRefreshRequired": return "\(keys) have ended: sign in again"
    case "RequestTimeTooSkewed": return "set this machine's clock"
    case "PermanentRedirect", "AuthorizationHeaderMalformed": return "`cairn remote modify NAME region …`"
    default: return nil
    }
  }
}

extension Diagnostic.Code {
  package static let remote = Diagnostic.Code("remote")
}
