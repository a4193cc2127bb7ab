// Where executions are tracked, and what of them is sent. Read from the settings and MLflow's own variable; asks no server.
import CairnCore
import CairnSystem

package struct TrackingSettings: Sendable {
  package enum UserNaming: String, Sendable, CaseIterable { case name, hash, none }

  /// As it was given: a user and a password may stand in it, so it is shown to nobody.
  package let address: String
  /// The address without them.
  package let place: String
  package let experiment: String
  package let user: UserNaming
  /// `cairn/log.txt` goes along: logs print what nobody meant to publish.
  package let sendsLogs: Bool
  /// The outputs' bytes go to the server, too.
  package let sendsOutputs: Bool
  /// Models become versions in the registry.
  package let registers: Bool
  /// Data is pushed when a `repro` has ended.
  package let pushes: Bool
  /// A command is told the run that it may join; it then waits a moment for the server's answer.
  package let joins: Bool
  /// How long `repro` waits at its end for what is still being sent (seconds); the rest stays in the outbox.
  package let waitSeconds: Double

  /// `nil` where no server is named, or tracking is turned off.
  ///
  /// - Parameter explicit: an address in place of the one that is set.
  package init?(_ settings: Settings, _ repository: Repository, address explicit: String? = nil) {
    if explicit == nil, settings.cairn("tracking", "enabled")?.bool == false { return nil }
    let variable = Environment.value("MLFLOW_TRACKING_URI").flatMap { $0.trimmingWhitespace.isEmpty ? nil : $0 }
    guard let text = explicit ?? variable ?? settings.cairn("tracking", "uri")?.string else { return nil }
    var address = text.trimmingWhitespace
    while address.hasSuffix("/") { address.removeLast() }
    if address.isEmpty { return nil }
    self.address = address
    place = Self.withoutUser(address)
    let root = repository.root
    let name = root.utf8.lastIndex(of: UInt8(ascii: "/")).map { String(root[root.utf8.index(after: $0)...]) } ?? root
    let experiment =
      settings.cairn("tracking", "experiment")?.string ?? Environment.value("MLFLOW_EXPERIMENT_NAME") ?? name
    self.experiment = experiment.isEmpty ? "Default" : experiment
    user = settings.cairn("tracking", "user")?.string.flatMap(UserNaming.init(rawValue:)) ?? .name
    sendsLogs = settings.cairn("tracking", "log")?.bool ?? false
    sendsOutputs = settings.cairn("tracking", "upload")?.bool ?? false
    registers = settings.cairn("tracking", "register")?.bool ?? false
    pushes = settings.cairn("tracking", "push")?.bool ?? false
    joins = settings.cairn("tracking", "join")?.bool ?? true
    waitSeconds = settings.cairn("tracking", "wait")?.number ?? 30
  }

  /// `https://user:secret@host/x?token=y` → `https://host/x`.
  package static func withoutUser(_ address: String) -> String {
    let address = String(address.prefix { $0 != "?" })
    guard let scheme = address.firstRange(of: "://") else { return address }
    let rest = address[scheme.upperBound...]
    let authority = rest.prefix { $0 != "/" && $0 != "?" && $0 != "#" }
    guard let at = authority.lastIndex(of: "@") else { return address }
    return address[..<scheme.upperBound] + String(rest[rest.index(after: at)...])
  }
}
