// Where a bucket is asked: host, region, and whether its name stands in the host or in the path. Asks nobody.
package import CairnCore

package struct S3Address: Sendable {
  package enum Style: Sendable { case path, virtualHost }

  package var bucket: String
  /// `nil`: AWS's own, of the region.
  package var endpoint: HTTPTarget?
  package var region: String
  package var style: Style
  package var usesTLS: Bool

  /// - Parameters:
  ///   - endpoint: as users write it, with or without a scheme.
  ///   - style: of the profile's `addressing_style`: `path`, `virtual` or `auto`.
  /// - Throws: for an endpoint that is no HTTP address.
  package init(
    bucket: String, endpoint: String?, region: String?, style: String?, usesTLS: Bool
  ) throws(Diagnostic) {
    self.bucket = bucket
    self.usesTLS = usesTLS
    self.region = region ?? "us-east-1"
    if let endpoint {
      let text = endpoint.contains("://") ? endpoint : (usesTLS ? "https://" : "http://") + endpoint
      guard let target = HTTPTarget(text) else {
        // It may have a password in it.
        let shown = endpoint.contains("@") ? "the remote's endpointurl" : "the endpoint '\(endpoint)'"
        throw Diagnostic(.configuration, "config file error: \(shown) is no http or https address without a user in it")
      }
      self.endpoint = target
    }
    // A name with a dot fits no certificate.
    switch style {
    case "path": self.style = .path
    case "virtual": self.style = .virtualHost
    default: self.style = endpoint != nil || bucket.contains(".") ? .path : .virtualHost
    }
  }

  /// - Parameter key: `nil` for the bucket itself.
  package func target(_ key: String?, _ query: [HTTPTarget.Item] = []) -> HTTPTarget {
    var target =
      endpoint
      ?? HTTPTarget(
        scheme: usesTLS ? "https" : "http", host: region == "us-east-1" ? "s3.amazonaws.com" : "s3.\(region).amazonaws.com",
        path: "/")
    var path = target.path.hasSuffix("/") ? String(target.path.dropLast()) : target.path
    switch style {
    case .virtualHost: target.host = bucket + "." + target.host
    case .path: path += "/" + bucket
    }
    target.path = key.map { path + "/" + $0 } ?? (path.isEmpty ? "/" : path)
    if key == nil, style == .virtualHost { target.path = path + "/" }
    target.query = query
    return target
  }
}
