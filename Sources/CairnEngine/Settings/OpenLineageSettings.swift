// Where OpenLineage events go while stages run. Read from the settings and OpenLineage's own variables; asks no server.
import CairnCore
import CairnSystem

package struct OpenLineageSettings: Sendable {
  /// Of the server, with the endpoint's path behind it or not.
  package let url: String
  /// The path, where it is not `api/v1/lineage`.
  package let endpoint: String?

  /// `nil` where no collector is named, or events are turned off.
  ///
  /// - Source: https://openlineage.io/docs/client/python: `OPENLINEAGE_URL`, `OPENLINEAGE_ENDPOINT`,
  ///   `OPENLINEAGE_DISABLED`.
  package init?(_ settings: Settings) {
    if settings.cairn("openlineage", "enabled")?.bool == false { return nil }
    if Environment.value("OPENLINEAGE_DISABLED")?.lowercased() == "true" { return nil }
    func variable(_ name: String) -> String? {
      Environment.value(name).map(\.trimmingWhitespace).flatMap { $0.isEmpty ? nil : $0 }
    }
    guard let url = variable("OPENLINEAGE_URL") ?? settings.cairn("openlineage", "url")?.string, !url.isEmpty else { return nil }
    self.url = url
    endpoint = variable("OPENLINEAGE_ENDPOINT") ?? settings.cairn("openlineage", "endpoint")?.string
  }
}
