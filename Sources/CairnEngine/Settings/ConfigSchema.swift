// Which settings DVC knows and what each may hold. Faults are told in the words of DVC's validator.
internal import CairnCore
internal import CairnFormats

/// What a setting may hold.
enum ConfigRule: Sendable {
  case text, anything, flag, lowercase
  case flagOrText
  case integer
  case integerFrom(Int, to: Int?)
  /// Never satisfied by text: DVC asks for a real integer, which no file can hold.
  case realInteger
  case number
  case numberFromZero
  case choice([String])
  case linkTypes

  /// What is wrong with `value`, without the place.
  func fault(_ value: Value) -> String? {
    switch self {
    case .anything: return nil
    case .linkTypes:
      let known = ["reflink", "hardlink", "symlink", "copy"]
      let unknown = ConfigSchema.linkTypes(value).filter { !known.contains($0) }
      return unknown.isEmpty ? nil : "Unsupported cache type(s): \(unknown.sorted().joined(separator: ", "))"
    default: break
    }
    guard let text = value.string else {
      if case .lowercase = self { return nil }
      return expectation
    }
    let number = text.trimmingWhitespace
    switch self {
    case .flag: return ["true", "false"].contains(text.lowercased()) ? nil : expectation
    case .integer: return Int(number) == nil ? expectation : nil
    case .integerFrom(let low, let high):
      guard let number = Int(number) else { return expectation }
      if number < low { return "value must be at least \(low)" }
      if let high, number > high { return "value must be at most \(high)" }
      return nil
    case .realInteger: return expectation
    case .number: return Double(number) == nil ? expectation : nil
    case .numberFromZero:
      guard let number = Double(number) else { return expectation }
      return number < 0 ? "value must be at least 0" : nil
    case .choice(let words): return words.contains(text.lowercased()) ? nil : expectation
    default: return nil
    }
  }

  private var expectation: String {
    switch self {
    case .flag: "expected true or false"
    case .integer, .integerFrom, .realInteger: "expected int"
    case .number, .numberFromZero: "expected float"
    case .choice(let words): "expected one of \(words.joined(separator: ", "))"
    default: "expected str"
    }
  }
}

enum ConfigSchema {
  typealias Options = [String: ConfigRule]

  /// In the order in which DVC adds a section that is missing.
  static let sectionNames = [
    "core", "cache", "remote", "state", "index", "machine", "feature", "plots", "exp", "parsing", "hydra", "studio",
    "db",
  ]
  /// Written as `['remote "name"']`, behind all others.
  static let namedSections = ["remote", "machine", "db"]

  static func linkTypes(_ value: Value) -> [String] {
    if let items = value.list { return items.compactMap(\.string) }
    return (value.string ?? "").split(separator: ",", omittingEmptySubsequences: false).map {
      String($0).trimmingWhitespace
    }
  }

  /// Checks merged settings; the first fault is thrown, `warnings` are what DVC only mentions.
  static func validate(_ config: ValueMap, warnings: inout [String]) throws(Diagnostic) {
    for (key, section) in config {
      let name = key.string ?? ""
      guard sectionNames.contains(name) else { throw .extraKey([name]) }
      guard let entries = section.map else { throw .invalid("expected a dictionary", [name]) }
      switch name {
      case "remote":
        for (remote, options) in entries { try validateRemote(remote.string ?? "", options) }
      case "machine", "db":
        for (item, options) in entries {
          guard let options = options.map else { throw .invalid("expected a dictionary", [name, item.string ?? ""]) }
          try check(options, name == "db" ? database : machine, at: [name, item.string ?? ""])
        }
      case "feature":
        let unknown = entries.keys.compactMap(\.string).filter { $0 != "machine" }.sorted()
        if !unknown.isEmpty {
          let list = unknown.map { "'feature.\($0)'" }.joined(separator: ", ")
          warnings.append("\(list) config option\(unknown.count == 1 ? " is" : "s are") unsupported")
        }
      case "hydra":
        if entries["config_dir"] != nil, entries["config_module"] != nil {
          throw .configuration(
            "two or more values in the same group of exclusion 'config_source' @ data['hydra'][<config_source>]")
        }
        try check(entries, sections[name] ?? [:], at: [name])
      default: try check(entries, sections[name] ?? [:], at: [name])
      }
    }
  }

  private static func check(_ entries: ValueMap, _ options: Options, at place: [String]) throws(Diagnostic) {
    for (key, value) in entries {
      let name = key.string ?? ""
      guard let rule = options[name] else { throw .extraKey(place + [name]) }
      if let fault = rule.fault(value) { throw .invalid(fault, place + [name]) }
    }
  }

  private static func validateRemote(_ name: String, _ value: Value) throws(Diagnostic) {
    let place = ["remote", name]
    guard let options = value.map else { throw .invalid("expected a dictionary", place) }
    guard let url = options["url"]?.string else { throw .invalid("expected 'url'", place) }
    let scheme = URLText.scheme(url)
    if scheme == "remote" { return }
    guard let known = remotes[scheme] else { throw .invalid("Unsupported URL type \(scheme)://", place) }
    try check(options, known, at: place)
  }

  private static let local: Options = [
    "type": .linkTypes, "protected": .flag, "shared": .choice(["group"]), "slow_link_warning": .flag, "verify": .flag,
  ]
  private static let common: Options = [
    "url": .text, "checksum_jobs": .integerFrom(1, to: nil), "jobs": .integerFrom(1, to: nil), "worktree": .flag,
    "no_traverse": .flag, "version_aware": .flag, "verify": .flag,
  ]
  private static let http: Options = [
    "auth": .choice(["basic", "digest", "custom"]), "custom_auth_header": .text, "user": .text, "password": .text,
    "ask_password": .flag, "ssl_verify": .flagOrText, "method": .text, "connect_timeout": .numberFromZero,
    "read_timeout": .numberFromZero,
  ]
  private static let webdav: Options = [
    "user": .text, "password": .text, "ask_password": .flag, "token": .text, "bearer_token_command": .text,
    "custom_auth_header": .text, "cert_path": .text, "key_path": .text, "timeout": .integer,
    "ssl_verify": .flagOrText,
  ]
  private static let machine: Options = [
    "cloud": .choice(["aws", "azure"]), "region": .choice(["us-west", "us-east", "eu-west", "eu-north"]),
    "image": .text, "spot": .flag, "spot_price": .number, "instance_hdd_size": .integer, "instance_type": .lowercase,
    "instance_gpu": .lowercase, "ssh_private": .text, "startup_script": .text, "setup_script": .text,
  ]
  private static let database: Options = ["url": .text, "username": .text, "password": .text]

  private static func texts(_ names: String) -> Options {
    Options(uniqueKeysWithValues: names.split(separator: " ").map { (String($0), ConfigRule.text) })
  }

  private static func flags(_ names: String) -> Options {
    Options(uniqueKeysWithValues: names.split(separator: " ").map { (String($0), ConfigRule.flag) })
  }

  private static func all(_ parts: Options...) -> Options {
    parts.reduce(into: common) { $0.merge($1) { _, new in new } }
  }

  static let remotes: [String: Options] = [
    "": all(local),
    "s3": all(
      texts(
        """
        region profile credentialpath configpath endpointurl access_key_id secret_access_key session_token sse \
        sse_kms_key_id sse_customer_algorithm sse_customer_key acl grant_read grant_read_acp grant_write_acp \
        grant_full_control
        """),
      flags("listobjects use_ssl allow_anonymous_login"),
      ["ssl_verify": .flagOrText, "cache_regions": .realInteger, "read_timeout": .integer, "connect_timeout": .integer]),
    "gs": all(texts("projectname credentialpath endpointurl"), flags("allow_anonymous_login")),
    "ssh": all(
      texts("user password passphrase keyfile"), flags("ask_password ask_passphrase gss_auth allow_agent"),
      ["type": .linkTypes, "port": .integer, "timeout": .integer, "max_sessions": .integer]),
    "hdfs": all(texts("user kerb_ticket"), ["replication": .realInteger]),
    "webhdfs": all(
      texts("kerberos_principal proxy_to token user password data_proxy_target"), flags("kerberos use_https"),
      ["ssl_verify": .flagOrText]),
    "azure": all(
      texts("connection_string sas_token account_name account_key tenant_id client_id client_secret"),
      flags(
        """
        allow_anonymous_login exclude_environment_credential exclude_visual_studio_code_credential \
        exclude_shared_token_cache_credential exclude_managed_identity_credential
        """),
      ["timeout": .integer, "read_timeout": .integer, "connection_timeout": .integer]),
    "oss": all(texts("oss_key_id oss_key_secret oss_endpoint")),
    "gdrive": all(
      texts(
        """
        profile gdrive_client_id gdrive_client_secret gdrive_user_credentials_file gdrive_service_account_user_email \
        gdrive_service_account_json_file_path
        """),
      flags("gdrive_use_service_account gdrive_trash_only gdrive_acknowledge_abuse")),
    "http": all(http), "https": all(http), "webdav": all(webdav), "webdavs": all(webdav),
  ]

  static let sections: [String: Options] = [
    "core": [
      "remote": .lowercase, "checksum_jobs": .integerFrom(1, to: nil), "interactive": .flag, "analytics": .flag,
      "hardlink_lock": .flag, "no_scm": .flag, "autostage": .flag, "experiments": .flag, "check_update": .flag,
      "site_cache_dir": .text, "machine": .lowercase,
    ],
    "cache": texts("local s3 gs hdfs webhdfs ssh azure dir").merging(local) { $1 },
    "state": [
      "dir": .text, "row_limit": .integerFrom(1, to: nil), "row_cleanup_quota": .integerFrom(0, to: 100),
    ],
    "index": ["dir": .text],
    "plots": ["html_template": .text, "auto_open": .flag, "out_dir": .text],
    "exp": texts("code data models metrics params plots live git_remote").merging(["auto_push": .flag]) { $1 },
    "parsing": ["bool": .choice(["store_true", "boolean_optional"]), "list": .choice(["nargs", "append"])],
    "hydra": texts("config_dir config_module config_name plugins_path").merging(["enabled": .flag]) { $1 },
    "studio": texts("token url repo_url").merging(["offline": .flag]) { $1 },
  ]
}

/// The little of URLs that settings need.
package enum URLText {
  /// `s3` of `s3://bucket/key`; empty for a path, and for what has no host.
  package static func scheme(_ text: String) -> String {
    guard let (scheme, rest) = split(text), let first = rest.utf8.first, first != UInt8(ascii: "/") else { return "" }
    return scheme.lowercased()
  }

  private static func split(_ text: String) -> (String, Substring)? {
    guard let colon = text.firstRange(of: "://"), colon.lowerBound > text.startIndex else { return nil }
    let scheme = text[..<colon.lowerBound]
    guard scheme.allSatisfy({ $0.isLetter || $0.isNumber || $0 == "_" || $0 == "+" || $0 == "-" || $0 == "." }) else {
      return nil
    }
    return (String(scheme), text[colon.upperBound...])
  }
}

extension String {
  package var trimmingWhitespace: String {
    let rest = drop(while: \.isWhitespace)
    guard let last = rest.lastIndex(where: { !$0.isWhitespace }) else { return "" }
    return String(rest[...last])
  }
}

extension Diagnostic {
  fileprivate static func extraKey(_ place: [String]) -> Diagnostic {
    .configuration("extra keys not allowed @ \(path(place))")
  }

  fileprivate static func invalid(_ fault: String, _ place: [String]) -> Diagnostic {
    .configuration("\(fault) for dictionary value @ \(path(place))")
  }

  private static func path(_ place: [String]) -> String { "data" + place.map { "['\($0)']" }.joined() }
}
