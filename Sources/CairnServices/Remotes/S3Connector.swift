// From the settings of a remote to the bucket that they mean. Connects to nothing before the first request.
package import CairnCore
import CairnEngine
import CairnFormats
package import CairnStore
import CairnSystem

/// The remotes on other machines that Cairn reaches.
package struct RemoteServices: RemoteConnector {
  private let transport: any HTTPTransport
  private let surroundings: AWSSurroundings

  package init(_ transport: any HTTPTransport = CurlTransport(), _ surroundings: AWSSurroundings = .process) {
    self.transport = transport
    self.surroundings = surroundings
  }

  package func storage(
    _ name: String, _ options: ValueMap, relativeTo folder: String
  ) throws(Diagnostic) -> (any RemoteStorage)? {
    guard let url = options["url"]?.string, url.hasPrefix("s3://") else { return nil }
    return try S3Connector(name, options, folder, transport, surroundings).storage(url)
  }
}

/// - Source: the options of DVC's S3 remotes.
struct S3Connector {
  private let name: String
  private let options: ValueMap
  private let folder: String
  private let transport: any HTTPTransport
  private let surroundings: AWSSurroundings

  init(
    _ name: String, _ options: ValueMap, _ folder: String, _ transport: any HTTPTransport, _ surroundings: AWSSurroundings
  ) {
    self.name = name
    self.options = options
    self.folder = folder
    self.transport = transport
    self.surroundings = surroundings
  }

  private func text(_ option: String) -> String? { options[.string(option)]?.string.flatMap { $0.isEmpty ? nil : $0 } }
  private func flag(_ option: String, default standard: Bool) -> Bool {
    guard let text = text(option)?.lowercased() else { return standard }
    return ["true", "yes", "on", "1"].contains(text)
  }
  private func number(_ option: String) -> Int? { text(option).flatMap { Int($0) } }
  private func path(_ text: String) -> String {
    let text = surroundings.expanded(text)
    return text.hasPrefix("/") ? text : folder + "/" + text
  }

  func storage(_ url: String) throws(Diagnostic) -> any RemoteStorage {
    let rest = url.dropFirst("s3://".count)
    let bucket = String(rest.prefix { $0 != "/" })
    guard !bucket.isEmpty else { throw Diagnostic(.configuration, "config file error: remote '\(name)' names no bucket") }
    let prefix = rest.dropFirst(bucket.count).split(separator: "/").joined(separator: "/")
    let configuration = try AWSConfiguration(
      surroundings, profile: text("profile"), configPath: text("configpath").map(path),
      credentialsPath: text("credentialpath").map(path))
    let address = try S3Address(
      bucket: bucket, endpoint: text("endpointurl") ?? configuration.endpoint(of: "s3"),
      region: text("region") ?? configuration.region, style: configuration.settings["s3.addressing_style"],
      usesTLS: flag("use_ssl", default: true))
    var explicit: AWSKeys?
    switch (text("access_key_id"), text("secret_access_key")) {
    case (let id?, let secret?):
      explicit = AWSKeys(accessKeyID: id, secretAccessKey: secret, sessionToken: text("session_token"))
    case (nil, nil): break
    case (let id, _): throw .partial("the remote's settings", missing: id == nil ? "access_key_id" : "secret_access_key")
    }
    let chain =
      flag("allow_anonymous_login", default: false)
      ? nil : AWSCredentialChain(configuration, explicit: explicit, transport: transport)
    let client = S3Client(
      address, chain, transport: transport, trust: trust(configuration), connectTimeout: number("connect_timeout") ?? 10,
      stallTimeout: number("read_timeout") ?? 60)
    return S3Storage(
      client, prefix: prefix, writing: try writingHeaders(), encryptedBy: try keyHeaders(), jobs: number("jobs"))
  }

  /// `ssl_verify` is a flag, or the path of a bundle of authorities.
  private func trust(_ configuration: AWSConfiguration) -> TLSTrust {
    switch text("ssl_verify")?.lowercased() {
    case nil, "true", "yes", "on", "1": configuration.authorities.map { .authorities(path($0)) } ?? .system
    case "false", "no", "off", "0": .anyone
    default: .authorities(path(text("ssl_verify") ?? ""))
    }
  }

  /// What every object is written with.
  private func writingHeaders() throws(Diagnostic) -> HTTPHeaders {
    var headers = HTTPHeaders()
    if text("sse_kms_key_id") != nil, text("sse_customer_key") != nil {
      throw Diagnostic(.configuration, "config file error: `sse_kms_key_id` and `sse_customer_key` AWS S3 config options are mutually exclusive")
    }
    let grants = [
      ("grant_full_control", "x-amz-grant-full-control"), ("grant_read", "x-amz-grant-read"),
      ("grant_read_acp", "x-amz-grant-read-acp"), ("grant_write_acp", "x-amz-grant-write-acp"),
    ]
    if text("acl") != nil, grants.contains(where: { text($0.0) != nil }) {
      throw Diagnostic(.configuration, "config file error: `acl` and `grant_*` AWS S3 config options are mutually exclusive")
    }
    headers["x-amz-acl"] = text("acl")
    for (option, header) in grants { headers[header] = text(option) }
    headers["x-amz-server-side-encryption"] = text("sse")
    headers["x-amz-server-side-encryption-aws-kms-key-id"] = text("sse_kms_key_id")
    return headers
  }

  /// The key of their own that objects are encrypted with, in base64, for the server to use and forget.
  private func keyHeaders() throws(Diagnostic) -> HTTPHeaders {
    guard let text = text("sse_customer_key") else { return [:] }
    guard let key = Base64.decode(text) else {
      throw Diagnostic(.configuration, "config file error: sse_customer_key of remote '\(name)' is no base64")
    }
    var headers = HTTPHeaders()
    let prefix = "x-amz-server-side-encryption-customer-"
    headers[prefix + "algorithm"] = self.text("sse_customer_algorithm") ?? "AES256"
    headers[prefix + "key"] = String(decoding: Base64.encode(key), as: UTF8.self)
    headers[prefix + "key-MD5"] = String(decoding: Base64.encode(PayloadHash.md5(key)), as: UTF8.self)
    return headers
  }
}
