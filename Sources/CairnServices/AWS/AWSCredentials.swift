// Who a request to AWS is from: the chain of sources that people know from its tools, in its order. Signs nothing.
package import CairnCore
import CairnFormats
import CairnSystem
import Synchronization

package struct AWSCredentials: Sendable {
  package var keys: AWSKeys
  /// Nanoseconds since 1970; `nil` for keys that last.
  package var expires: Nanoseconds?
  /// Where they are from, for people: `the environment`, `the profile x`.
  package var source: String

  package init(_ keys: AWSKeys, expires: Nanoseconds? = nil, source: String) {
    self.keys = keys
    self.expires = expires
    self.source = source
  }
}

/// Finds credentials once, and anew before they end. Safe to use from several threads: one of them asks.
package final class AWSCredentialChain: Sendable {
  private let configuration: AWSConfiguration
  private let explicit: AWSKeys?
  private let transport: any HTTPTransport
  private let role: AssumedRole?
  private let found = Mutex<AWSCredentials?>(nil)

  /// A role that is taken with the credentials of another chain.
  package struct AssumedRole: Sendable {
    package var arn: String
    package var session: String
    package var seconds: Int
    package var base: AWSCredentialChain

    package init(arn: String, session: String, seconds: Int, base: AWSCredentialChain) {
      self.arn = arn
      self.session = session
      self.seconds = seconds
      self.base = base
    }
  }

  /// Renewed when they would end in so many seconds.
  private static let margin: Nanoseconds = 600 * 1_000_000_000

  /// - Parameters:
  ///   - explicit: keys of the remote's own settings: nothing else is looked at then.
  ///   - role: the same with a role.
  package init(
    _ configuration: AWSConfiguration, explicit: AWSKeys? = nil, transport: any HTTPTransport, role: AssumedRole? = nil
  ) {
    self.role = role
    self.configuration = configuration
    self.explicit = explicit
    self.transport = transport
  }

  /// - Throws: where a source is there and gives none, and where there is no source at all.
  package func credentials() throws(Diagnostic) -> AWSCredentials {
    let result = found.withLock { found -> Result<AWSCredentials, Diagnostic> in
      if let known = found, known.expires.map({ $0 - Self.margin > WallClock.now() }) ?? true { return .success(known) }
      do throws(Diagnostic) {
        let new = try search()
        found = new
        return .success(new)
      } catch {
        // Keys that are still good are better than none.
        if let known = found, let expires = known.expires, expires > WallClock.now() { return .success(known) }
        return .failure(error)
      }
    }
    return try result.get()
  }

  /// The ones known are no longer accepted: they are looked for anew.
  package func forget() { found.withLock { $0 = nil } }

  /// - Source: the order of botocore's resolver.
  private func search() throws(Diagnostic) -> AWSCredentials {
    if let role {
      let query = [
        HTTPTarget.Item("Action", "AssumeRole"), .init("Version", "2011-06-15"), .init("RoleArn", role.arn),
        .init("RoleSessionName", role.session), .init("DurationSeconds", String(role.seconds)),
      ]
      return try STS(configuration, transport)
        .assume(query, as: role.base.credentials().keys, source: "the role \(role.arn)")
    }
    if let explicit { return AWSCredentials(explicit, source: "the remote's settings") }
    let profile = configuration.profileName
    if !configuration.isProfileExplicit, let found = try environment() { return found }
    if let found = try role(of: profile, visited: []) { return found }
    if let found = try webIdentity() { return found }
    if let found = try staticKeys(configuration.keys(of: profile), of: profile) { return found }
    if let found = try program(of: profile) { return found }
    if let found = try staticKeys(configuration.settings(of: profile), of: profile) { return found }
    if configuration.settings["sso_session"] ?? configuration.settings["sso_start_url"] != nil {
      throw Diagnostic(.credentials, "the profile '\(profile)' signs in by SSO, which Cairn does not")
        .hinting("`eval \"$(aws configure export-credentials --profile \(profile) --format env)\"` gives keys for a while")
    }
    if let found = try container() { return found }
    if let found = try instance() { return found }
    throw Diagnostic(.credentials, "Unable to locate credentials")
      .hinting(
        "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or write ~/.aws/credentials, or "
          + "`cairn remote modify --local NAME access_key_id …` and `… secret_access_key …`")
  }

  private func environment() throws(Diagnostic) -> AWSCredentials? {
    let surroundings = configuration.surroundings
    guard let id = surroundings.set("AWS_ACCESS_KEY_ID") else { return nil }
    guard let secret = surroundings.set("AWS_SECRET_ACCESS_KEY") else {
      throw .partial("the environment", missing: "AWS_SECRET_ACCESS_KEY")
    }
    let token = surroundings.set("AWS_SESSION_TOKEN") ?? surroundings.set("AWS_SECURITY_TOKEN")
    return AWSCredentials(
      AWSKeys(accessKeyID: id, secretAccessKey: secret, sessionToken: token), source: "the environment")
  }

  private func staticKeys(_ section: AWSConfiguration.Section, of profile: String) throws(Diagnostic) -> AWSCredentials? {
    guard let id = section["aws_access_key_id"] else { return nil }
    guard let secret = section["aws_secret_access_key"] else {
      throw .partial("the profile '\(profile)'", missing: "aws_secret_access_key")
    }
    return AWSCredentials(
      AWSKeys(accessKeyID: id, secretAccessKey: secret, sessionToken: section["aws_session_token"]),
      source: "the profile '\(profile)'")
  }

  // MARK: Roles

  private func role(of profile: String, visited: [String]) throws(Diagnostic) -> AWSCredentials? {
    let section = configuration.merged(of: profile)
    guard let role = section["role_arn"], section["web_identity_token_file"] == nil else { return nil }
    if visited.contains(profile) {
      throw Diagnostic(.credentials, "the profiles \((visited + [profile]).joined(separator: ", ")) lead in a circle")
    }
    if section["mfa_serial"] != nil {
      throw Diagnostic(.credentials, "the role of the profile '\(profile)' wants a code from a device, which nobody is asked for here")
        .hinting("`eval \"$(aws configure export-credentials --profile \(profile) --format env)\"` asks for it")
    }
    let base: AWSCredentials
    switch (section["source_profile"], section["credential_source"]) {
    case (let source?, nil):
      guard configuration.exists(source) else {
        throw Diagnostic(.credentials, "the profile '\(profile)' takes its keys from '\(source)', which no file has")
      }
      // A profile may be its own source, with keys beside the role.
      if source == profile {
        guard let own = try staticKeys(section, of: profile) else { throw .noSource(profile) }
        base = own
      } else if let own = try self.role(of: source, visited: visited + [profile]) {
        base = own
      } else if let own = try webIdentity(of: source) {
        base = own
      } else if let own = try staticKeys(configuration.merged(of: source), of: source) {
        base = own
      } else if let own = try program(of: source) {
        base = own
      } else {
        throw .noSource(source)
      }
    case (nil, let source?):
      let own =
        switch source {
        case "Environment": try environment()
        case "EcsContainer": try container()
        case "Ec2InstanceMetadata": try instance()
        default: throw Diagnostic(.credentials, "the profile '\(profile)' has the credential_source '\(source)', which is none")
        }
      guard let own else { throw .noSource("credential_source = " + source) }
      base = own
    default: throw .noSource(profile)
    }
    var query = [
      HTTPTarget.Item("Action", "AssumeRole"), .init("Version", "2011-06-15"), .init("RoleArn", role),
      .init("RoleSessionName", section["role_session_name"] ?? "cairn-\(WallClock.now() / 1_000_000_000)"),
    ]
    if let external = section["external_id"] { query.append(.init("ExternalId", external)) }
    if let seconds = section["duration_seconds"] { query.append(.init("DurationSeconds", seconds)) }
    return try STS(configuration, transport).assume(query, as: base.keys, source: "the role of the profile '\(profile)'")
  }

  private func webIdentity() throws(Diagnostic) -> AWSCredentials? {
    let surroundings = configuration.surroundings
    if !configuration.isProfileExplicit, let file = surroundings.set("AWS_WEB_IDENTITY_TOKEN_FILE"),
      let role = surroundings.set("AWS_ROLE_ARN")
    {
      return try webIdentity(role, file, surroundings.set("AWS_ROLE_SESSION_NAME"))
    }
    return try webIdentity(of: configuration.profileName)
  }

  private func webIdentity(of profile: String) throws(Diagnostic) -> AWSCredentials? {
    let section = configuration.merged(of: profile)
    guard let file = section["web_identity_token_file"], let role = section["role_arn"] else { return nil }
    return try webIdentity(role, file, section["role_session_name"])
  }

  private func webIdentity(_ role: String, _ file: String, _ session: String?) throws(Diagnostic) -> AWSCredentials {
    guard let bytes = configuration.surroundings.file(configuration.surroundings.expanded(file)) else {
      throw Diagnostic(.credentials, "the web identity token '\(file)' cannot be read")
    }
    let token = String(decoding: bytes, as: UTF8.self).split(whereSeparator: \.isWhitespace).joined()
    let query = [
      HTTPTarget.Item("Action", "AssumeRoleWithWebIdentity"), .init("Version", "2011-06-15"), .init("RoleArn", role),
      .init("RoleSessionName", session ?? "cairn-\(WallClock.now() / 1_000_000_000)"), .init("WebIdentityToken", token),
    ]
    return try STS(configuration, transport).assume(query, as: nil, source: "the web identity of \(role)")
  }

  // MARK: Programs and metadata

  private func program(of profile: String) throws(Diagnostic) -> AWSCredentials? {
    guard let command = configuration.merged(of: profile)["credential_process"] else { return nil }
    let result = try ChildProcess.run(["/bin/sh", "-c", command], limit: 1 << 20)
    guard result.exit.code == 0 else {
      throw Diagnostic(.credentials, "the credential_process of the profile '\(profile)' failed")
        .because(of: Diagnostic(.credentials, result.errorText.split(whereSeparator: \.isNewline).last.map(String.init) ?? "it says nothing"))
    }
    return try credentials(result.output, "the credential_process of the profile '\(profile)'", ["AccessKeyId", "SecretAccessKey", "SessionToken"])
  }

  private func container() throws(Diagnostic) -> AWSCredentials? {
    let surroundings = configuration.surroundings
    let address: String
    if let path = surroundings.set("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI") {
      address = "http://169.254.170.2" + path
    } else if let full = surroundings.set("AWS_CONTAINER_CREDENTIALS_FULL_URI") {
      address = full
    } else {
      return nil
    }
    guard let target = HTTPTarget(address), target.scheme == "https" || Self.isNear(target.host) else {
      throw Diagnostic(.credentials, "AWS_CONTAINER_CREDENTIALS_FULL_URI leads to another machine without TLS")
    }
    var request = HTTPRequest("GET", address)
    request.connectTimeout = 2
    request.stallTimeout = 5
    if let file = surroundings.set("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE") {
      guard let bytes = surroundings.file(file) else {
        throw Diagnostic(.credentials, "the container's token '\(file)' cannot be read")
      }
      request.headers["Authorization"] = String(decoding: bytes, as: UTF8.self).split(whereSeparator: \.isNewline).joined()
    } else if let token = surroundings.set("AWS_CONTAINER_AUTHORIZATION_TOKEN") {
      request.headers["Authorization"] = token
    }
    let answer = try ask(request, "the container's credentials")
    return try credentials(answer, "the container", ["AccessKeyId", "SecretAccessKey", "Token"])
  }

  /// Hosts that a secret may go to without TLS: this machine, and the container agents' own addresses.
  private static func isNear(_ host: String) -> Bool {
    ["localhost", "[::1]", "169.254.170.2", "169.254.170.23", "[fd00:ec2::23]"].contains(host) || host.hasPrefix("127.")
  }

  private func instance() throws(Diagnostic) -> AWSCredentials? {
    let surroundings = configuration.surroundings
    if surroundings.set("AWS_EC2_METADATA_DISABLED")?.lowercased() == "true" { return nil }
    let address = surroundings.set("AWS_EC2_METADATA_SERVICE_ENDPOINT") ?? "http://169.254.169.254"
    guard let base = HTTPTarget(address) else { return nil }
    func request(_ method: String, _ path: String) -> HTTPRequest {
      var request = HTTPRequest(method, base.appending(path).url)
      request.connectTimeout = 1
      request.stallTimeout = 1
      return request
    }
    var first = request("PUT", "latest/api/token")
    first.headers["X-aws-ec2-metadata-token-ttl-seconds"] = "21600"
    first.body = .bytes([])
    // Where nobody answers this machine is none of EC2's.
    guard let token = try? transport.send(first), token.isSuccess else { return nil }
    func get(_ path: String) throws(Diagnostic) -> [UInt8] {
      var request = request("GET", path)
      request.headers["X-aws-ec2-metadata-token"] = token.text
      return try ask(request, "the instance's credentials")
    }
    let folder = "latest/meta-data/iam/security-credentials/"
    let role = String(decoding: try get(folder), as: UTF8.self).split(whereSeparator: \.isNewline).first.map(String.init) ?? ""
    if role.isEmpty { return nil }
    return try credentials(try get(folder + role), "the instance's role \(role)", ["AccessKeyId", "SecretAccessKey", "Token"])
  }

  private func ask(_ request: HTTPRequest, _ what: String) throws(Diagnostic) -> [UInt8] {
    let answer: HTTPResponse
    do throws(HTTPFailure) { answer = try transport.send(request) } catch {
      throw Diagnostic(.credentials, "\(what) are not to be had").because(of: Diagnostic(.credentials, error.words))
    }
    guard answer.isSuccess else {
      throw Diagnostic(.credentials, "\(what) are not to be had").because(
        of: Diagnostic(.credentials, "the answer is \(answer.status)"))
    }
    return answer.body
  }

  /// - Parameter names: of the key's id, the secret and the token in the document.
  private func credentials(_ bytes: [UInt8], _ source: String, _ names: [String]) throws(Diagnostic) -> AWSCredentials {
    guard let document = try? JSONReader.parse(SourceText(path: source, bytes: bytes)).value,
      let id = document[names[0]]?.string, let secret = document[names[1]]?.string
    else { throw Diagnostic(.credentials, "what \(source) answers holds no keys") }
    return AWSCredentials(
      AWSKeys(accessKeyID: id, secretAccessKey: secret, sessionToken: document[names[2]]?.string),
      expires: document["Expiration"]?.string.flatMap(WallClock.parse), source: source)
  }
}

/// AWS's Security Token Service.
private struct STS {
  private let configuration: AWSConfiguration
  private let transport: any HTTPTransport

  init(_ configuration: AWSConfiguration, _ transport: any HTTPTransport) {
    self.configuration = configuration
    self.transport = transport
  }

  /// - Parameter keys: whose request it is; `nil` for one that nobody signs.
  func assume(_ query: [HTTPTarget.Item], as keys: AWSKeys?, source: String) throws(Diagnostic) -> AWSCredentials {
    let region = configuration.region ?? "us-east-1"
    let address = configuration.endpoint(of: "sts") ?? "https://sts.\(region).amazonaws.com"
    guard var target = HTTPTarget(address) else {
      throw Diagnostic(.credentials, "the address of STS '\(address)' is no http or https URL")
    }
    if target.path.isEmpty { target.path = "/" }
    let form = query.map { "\(URLEncoding.encode($0.name))=\(URLEncoding.encode($0.value))" }.joined(separator: "&")
    var request = HTTPRequest("POST", target.url, body: .bytes(Array(form.utf8)))
    request.headers["Content-Type"] = "application/x-www-form-urlencoded; charset=utf-8"
    if let file = configuration.authorities { request.trust = .authorities(file) }
    if let keys {
      SigV4(region: region, service: "sts").sign(
        &request, target, keys: keys, payload: PayloadHash.sha256(Array(form.utf8)), time: AWSTime.now())
    }
    let answer: HTTPResponse
    do throws(HTTPFailure) { answer = try transport.send(request) } catch {
      throw Diagnostic(.credentials, "\(source) cannot be taken: \(target.host) does not answer")
        .because(of: Diagnostic(.credentials, error.words))
    }
    let document = XMLElement(answer.body)
    guard answer.isSuccess else {
      let error = document?["Error"]
      let words = [error?["Code"]?.text, error?["Message"]?.text].compactMap { $0 }.joined(separator: ": ")
      throw Diagnostic(.credentials, "\(source) cannot be taken").because(
        of: Diagnostic(.credentials, words.isEmpty ? "the answer of \(target.host) is \(answer.status)" : words))
    }
    let result = document?.children.first { $0.name.hasSuffix("Result") }?["Credentials"]
    guard let result, let id = result["AccessKeyId"]?.text, let secret = result["SecretAccessKey"]?.text else {
      throw Diagnostic(.credentials, "what \(target.host) answers for \(source) holds no keys")
    }
    return AWSCredentials(
      AWSKeys(accessKeyID: id, secretAccessKey: secret, sessionToken: result["SessionToken"]?.text),
      expires: result["Expiration"].flatMap { WallClock.parse($0.text) }, source: source)
  }
}

extension Diagnostic {
  static func partial(_ source: String, missing: String) -> Diagnostic {
    Diagnostic(.credentials, "Partial credentials found in \(source), missing: \(missing)")
  }

  fileprivate static func noSource(_ name: String) -> Diagnostic {
    Diagnostic(.credentials, "the keys that a role is taken with are not to be had from '\(name)'")
  }
}
