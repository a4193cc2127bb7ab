// The shared files of AWS (`~/.aws/config`, `~/.aws/credentials`) and its variables. Asks no service.
package import CairnCore
import CairnSystem

/// What a process is told of AWS by its surroundings; in tests, a table.
package struct AWSSurroundings: Sendable {
  package var variable: @Sendable (String) -> String?
  /// The bytes of a file; `nil` when it is not there.
  package var file: @Sendable (String) -> [UInt8]?

  package init(variable: @escaping @Sendable (String) -> String?, file: @escaping @Sendable (String) -> [UInt8]?) {
    self.variable = variable
    self.file = file
  }

  package static let process = AWSSurroundings(
    variable: { Environment.value($0) }, file: { (try? Files.read(plain: $0)) ?? nil })

  /// A variable that is set to something.
  func set(_ name: String) -> String? { variable(name).flatMap { $0.isEmpty ? nil : $0 } }

  /// `~` as the user's home.
  func expanded(_ path: String) -> String {
    guard path == "~" || path.hasPrefix("~/"), let home = set("HOME") else { return path }
    return home + path.dropFirst()
  }
}

/// - Source: the AWS SDKs' reference of shared files, and botocore's order.
package struct AWSConfiguration: Sendable {
  package typealias Section = [String: String]

  package let surroundings: AWSSurroundings
  /// Somebody named it: then the environment's keys do not count.
  package let isProfileExplicit: Bool
  package let profileName: String
  /// Sections of the config file by what they are: `profile NAME` (and `default`), `services NAME`.
  private let config: [String: Section]
  private let credentials: [String: Section]
  private let configPath: String
  private let credentialsPath: String

  /// - Parameters:
  ///   - profile: of the remote's settings.
  ///   - configPath: in place of `AWS_CONFIG_FILE`'s, where that is not set.
  /// - Throws: for a profile that somebody named and no file has.
  package init(
    _ surroundings: AWSSurroundings = .process, profile: String? = nil, configPath: String? = nil,
    credentialsPath: String? = nil
  ) throws(Diagnostic) {
    self.surroundings = surroundings
    let chosen = profile ?? surroundings.set("AWS_DEFAULT_PROFILE") ?? surroundings.set("AWS_PROFILE")
    isProfileExplicit = profile != nil
    profileName = chosen ?? "default"
    self.configPath = surroundings.expanded(surroundings.set("AWS_CONFIG_FILE") ?? configPath ?? "~/.aws/config")
    self.credentialsPath = surroundings.expanded(
      surroundings.set("AWS_SHARED_CREDENTIALS_FILE") ?? credentialsPath ?? "~/.aws/credentials")
    config = surroundings.file(self.configPath).map(Self.parse) ?? [:]
    credentials = surroundings.file(self.credentialsPath).map(Self.parse) ?? [:]
    if chosen != nil, !has(profileName) {
      throw Diagnostic(.credentials, "The config profile (\(profileName)) could not be found")
        .hinting("it is looked for in \(self.configPath) and \(self.credentialsPath)")
    }
  }

  private func has(_ profile: String) -> Bool { configured(profile) != nil || credentials[profile] != nil }

  private func configured(_ profile: String) -> Section? {
    config["profile " + profile] ?? (profile == "default" ? config["default"] : nil)
  }

  /// What the config file says of a profile; keys of a block within it (`s3 =`) as `s3.key`.
  package func settings(of profile: String) -> Section { configured(profile) ?? [:] }
  /// What the credentials file says of it.
  package func keys(of profile: String) -> Section { credentials[profile] ?? [:] }
  package func exists(_ profile: String) -> Bool { has(profile) }
  package var settings: Section { settings(of: profileName) }

  /// Both files say something of a role: the credentials file wins.
  package func merged(of profile: String) -> Section { settings(of: profile).merging(keys(of: profile)) { $1 } }

  package var region: String? {
    surroundings.set("AWS_DEFAULT_REGION") ?? surroundings.set("AWS_REGION") ?? settings["region"]
  }

  /// Where a service is asked, when it is not where AWS has it.
  ///
  /// - Parameter service: as `AWS_ENDPOINT_URL_…` and `[services …]` call it: `s3`, `sts`.
  package func endpoint(of service: String) -> String? {
    if let ignored = surroundings.set("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS") ?? settings["ignore_configured_endpoint_urls"],
      ignored.lowercased() == "true"
    {
      return nil
    }
    if let url = surroundings.set("AWS_ENDPOINT_URL_" + service.uppercased()) ?? surroundings.set("AWS_ENDPOINT_URL") {
      return url
    }
    if let name = settings["services"], let url = config["services " + name]?[service + ".endpoint_url"] { return url }
    return settings["endpoint_url"]
  }

  /// Certificates that are trusted in place of the machine's.
  package var authorities: String? { surroundings.set("AWS_CA_BUNDLE") ?? settings["ca_bundle"] }

  // MARK: -

  /// Sections and their keys. An indented line belongs to the key above it.
  static func parse(_ bytes: [UInt8]) -> [String: Section] {
    var sections: [String: Section] = [:]
    var section: String?
    var key: String?
    for raw in String(decoding: bytes, as: UTF8.self).split(whereSeparator: \.isNewline) {
      let isIndented = raw.first == " " || raw.first == "\t"
      let line = raw.trimmed
      if line.isEmpty || line.hasPrefix("#") || line.hasPrefix(";") { continue }
      if line.hasPrefix("["), let end = line.firstIndex(of: "]") {
        let words = line[line.index(after: line.startIndex)..<end].split(whereSeparator: \.isWhitespace)
        let name = words.joined(separator: " ").filter { $0 != "\"" && $0 != "'" }
        section = name
        if sections[name] == nil { sections[name] = [:] }
        key = nil
        continue
      }
      guard let section, let equals = line.firstIndex(where: { $0 == "=" || $0 == ":" }) else { continue }
      let name = line[..<equals].trimmed
      let value = line[line.index(after: equals)...].trimmed
      if isIndented, let key {
        sections[section]?[key + "." + name] = String(value)
      } else {
        key = String(name)
        sections[section]?[String(name)] = String(value)
      }
    }
    return sections
  }
}

extension Substring {
  fileprivate var trimmed: Substring {
    var text = drop { $0.isWhitespace }
    while text.last?.isWhitespace ?? false { text.removeLast() }
    return text
  }
}

extension Diagnostic.Code {
  package static let credentials = Diagnostic.Code("credentials")
}
