// Where an MLflow server is and how requests to it are signed: from an address and MLflow's own variables. Sends nothing.
package import CairnCore
import CairnEngine
import CairnFormats
import CairnSystem

/// A tracking server by its URL, or one of Amazon SageMaker AI's by its ARN.
///
/// - Source: MLflow's client (its variables and their order), and the plugin `sagemaker-mlflow`.
package struct MLflowServer: Sendable {
  /// What the paths of the API are put behind.
  package let base: HTTPTarget
  /// For messages: nothing secret is in it.
  package let place: String
  let trust: TLSTrust
  let clientCertificate: String?
  private let authentication: Authentication

  private enum Authentication: Sendable {
    case none
    /// The value of `Authorization`.
    case header(String)
    case signed(AWSCredentialChain, region: String, service: String, arn: HTTPHeader?)
  }

  /// - Throws: for an address that is no server's, or names a kind that is not known here.
  package init(
    _ address: String, surroundings: AWSSurroundings = .process, transport: any HTTPTransport
  ) throws(Diagnostic) {
    place = TrackingSettings.withoutUser(address)
    let bundle = surroundings.set("MLFLOW_TRACKING_SERVER_CERT_PATH") ?? surroundings.set("REQUESTS_CA_BUNDLE")
    if surroundings.set("MLFLOW_TRACKING_INSECURE_TLS")?.lowercased() == "true" {
      trust = .anyone
    } else {
      trust = bundle.map { .authorities($0) } ?? .system
    }
    clientCertificate = surroundings.set("MLFLOW_TRACKING_CLIENT_CERT_PATH")
    if address.hasPrefix("arn:") {
      let arn = try SageMakerARN(address)
      let endpoint = surroundings.set("SAGEMAKER_MLFLOW_CUSTOM_ENDPOINT") ?? arn.endpoint
      guard let target = HTTPTarget(endpoint) else {
        throw Diagnostic(.tracking, "SAGEMAKER_MLFLOW_CUSTOM_ENDPOINT '\(endpoint)' is no http or https URL")
      }
      base = target
      let configuration = try AWSConfiguration(surroundings)
      var chain = AWSCredentialChain(configuration, transport: transport)
      if let role = surroundings.set("SAGEMAKER_MLFLOW_ASSUME_ROLE_ARN") {
        let seconds = surroundings.set("SAGEMAKER_MLFLOW_ASSUME_ROLE_TTL_SECONDS").flatMap { Int($0) } ?? 3300
        chain = AWSCredentialChain(
          configuration, transport: transport,
          role: .init(arn: role, session: "AuthBotoSagemakerMlFlow", seconds: min(3600, max(300, seconds)), base: chain))
      }
      authentication = .signed(
        chain, region: arn.region, service: arn.service, arn: HTTPHeader(arn.headerName, address))
      return
    }
    guard let target = HTTPTarget(place) else { throw .noServer(place) }
    base = target
    let saved = surroundings.file(surroundings.expanded("~/.mlflow/credentials")).map(AWSConfiguration.parse)?["mlflow"]
    let user = surroundings.set("MLFLOW_TRACKING_USERNAME") ?? saved?["mlflow_tracking_username"]
    let password = surroundings.set("MLFLOW_TRACKING_PASSWORD") ?? saved?["mlflow_tracking_password"]
    if let user, let password {
      authentication = .header(Self.basic("\(user):\(password)"))
    } else if let pair = Self.user(in: address) {
      authentication = .header(Self.basic(pair))
    } else if let token = surroundings.set("MLFLOW_TRACKING_TOKEN") {
      authentication = .header("Bearer " + token)
    } else if surroundings.set("MLFLOW_TRACKING_AWS_SIGV4")?.lowercased() == "true" {
      let configuration = try AWSConfiguration(surroundings)
      authentication = .signed(
        AWSCredentialChain(configuration, transport: transport), region: configuration.region ?? "us-east-1",
        service: "execute-api", arn: nil)
    } else {
      authentication = .none
    }
  }

  private static func basic(_ pair: String) -> String {
    "Basic " + String(decoding: Base64.encode(Array(pair.utf8)), as: UTF8.self)
  }

  /// `user:password` as the address has it, decoded.
  private static func user(in address: String) -> String? {
    guard let scheme = address.firstRange(of: "://") else { return nil }
    let authority = address[scheme.upperBound...].prefix { $0 != "/" && $0 != "?" && $0 != "#" }
    guard let at = authority.lastIndex(of: "@") else { return nil }
    return URLEncoding.decodeForm(String(authority[..<at].replacing("+", with: "%2B")))
  }

  /// The request as it goes out.
  ///
  /// - Throws: where credentials are to be had nowhere.
  func prepare(
    _ method: String, _ target: HTTPTarget, headers: HTTPHeaders = [:], body: HTTPBody, payload: String
  ) throws(Diagnostic) -> HTTPRequest {
    var request = HTTPRequest(method, target.url, headers: headers, body: body)
    request.trust = trust
    request.clientCertificate = clientCertificate
    request.headers["Accept"] = "*/*"
    switch authentication {
    case .none: break
    case .header(let value): request.headers["Authorization"] = value
    case .signed(let chain, let region, let service, let arn):
      if let arn { request.headers[arn.name] = arn.value }
      request.headers["x-amz-content-sha256"] = payload
      SigV4(region: region, service: service).sign(
        &request, target, keys: try chain.credentials().keys, payload: payload, time: AWSTime.now(), signing: .all)
    }
    return request
  }

  /// The server no longer takes the keys: they are looked for anew.
  func forgetKeys() { if case .signed(let chain, _, _, _) = authentication { chain.forget() } }
  var isSigned: Bool { if case .signed = authentication { true } else { false } }
}

/// `arn:aws:sagemaker:REGION:ACCOUNT:mlflow-app/app-…`, or `…:mlflow-tracking-server/NAME`.
struct SageMakerARN {
  let region: String
  private let suffix = "aws"
  private let isApp: Bool

  init(_ text: String) throws(Diagnostic) {
    let parts = text.split(separator: ":", maxSplits: 5, omittingEmptySubsequences: false).map(String.init)
    let resource = parts.count == 6 ? parts[5].split(separator: "/", maxSplits: 1).map(String.init) : []
    guard resource.count == 2, parts[2] == "sagemaker", !parts[3].isEmpty,
      ["mlflow-app", "mlflow-tracking-server"].contains(resource[0])
    else {
      throw Diagnostic(.tracking, "'\(text)' names no MLflow App and no tracking server of SageMaker")
        .hinting("arn:aws:sagemaker:REGION:ACCOUNT:mlflow-app/app-…, or …:mlflow-tracking-server/NAME")
    }
    guard ["aws", "aws-us-gov"].contains(parts[1]) else {
      throw Diagnostic(.tracking, "'\(text)' lies in the partition '\(parts[1])', where SageMaker has no MLflow")
    }
    region = parts[3]
    isApp = resource[0] == "mlflow-app"
  }

  var endpoint: String {
    isApp ? "https://mlflow.sagemaker.\(region).app.\(suffix)" : "https://\(region).experiments.sagemaker.\(suffix)"
  }
  var service: String { isApp ? "sagemaker" : "sagemaker-mlflow" }
  var headerName: String { isApp ? "x-sm-mlflow-app-arn" : "x-mlflow-sm-tracking-server-arn" }
}

extension Diagnostic.Code {
  /// The tracking server, or what it was told.
  package static let tracking = Diagnostic.Code("tracking")
}

extension Diagnostic {
  fileprivate static func noServer(_ place: String) -> Diagnostic {
    let scheme = place.firstRange(of: "://").map { String(place[..<$0.lowerBound]) } ?? place
    let isStore = scheme == "file" || scheme.hasPrefix("sqlite") || scheme.hasPrefix("postgres") || scheme.hasPrefix("mysql")
      || scheme.hasPrefix("mssql") || !place.contains("://")
    return Diagnostic(.tracking, "the tracking address '\(isStore ? scheme : place)' is no server's")
      .hinting(
        isStore
          ? "start `mlflow server --backend-store-uri …` over it, and name that: http://127.0.0.1:5000"
          : "an http or https URL, or the ARN of a SageMaker MLflow App")
  }
}
