// What a version of a registered model is: the output of which run. Asks the registry; reads no records.
package import CairnCore
package import CairnEngine

/// `models:/NAME/VERSION`, or `models:/NAME@ALIAS`.
package struct ModelReference: Sendable, Hashable {
  package var name: String
  package var version: String?
  package var alias: String?

  /// `nil` for what is none.
  package init?(_ text: String) {
    guard text.hasPrefix("models:/") else { return nil }
    let rest = text.dropFirst("models:/".count)
    if let slash = rest.lastIndex(of: "/") {
      (name, version) = (String(rest[..<slash]), String(rest[rest.index(after: slash)...]))
      guard Int(version ?? "") != nil else { return nil }
    } else if let at = rest.lastIndex(of: "@") {
      (name, alias) = (String(rest[..<at]), String(rest[rest.index(after: at)...]))
      if alias?.isEmpty ?? true { return nil }
    } else {
      return nil
    }
    if name.isEmpty { return nil }
  }
}

package struct ModelLookup: Sendable {
  private let client: MLflowClient

  init(_ client: MLflowClient) { self.client = client }

  /// - Throws: for an address that is no server's.
  package init(_ settings: TrackingSettings, transport: any HTTPTransport = CurlTransport()) throws(Diagnostic) {
    self.init(MLflowClient(try MLflowServer(settings.address, transport: transport), transport: transport, attempts: 2))
  }

  package enum Answer: Sendable {
    case found(RegisteredModel)
    /// The registry has no such version, or one that is not ours.
    case none(Diagnostic)
    /// The server does not answer.
    case unknown(Diagnostic)
  }

  /// - Throws: where the server does not answer, has no such version, or one that is not ours.
  package func find(_ text: String) throws(Diagnostic) -> RegisteredModel {
    switch try look(text) {
    case .found(let model): return model
    case .none(let why), .unknown(let why): throw why
    }
  }

  /// - Throws: for what names no version.
  package func look(_ text: String) throws(Diagnostic) -> Answer {
    guard let reference = ModelReference(text) else {
      throw Diagnostic(.tracking, "'\(text)' names no version of a model").hinting("models:/NAME/VERSION, or models:/NAME@ALIAS")
    }
    let registry = MLflowRegistry(client)
    let version: MLflowRegistry.Version?
    do throws(MLflowFailure) {
      if let number = reference.version {
        version = try registry.version(number, of: reference.name)
      } else {
        version = try registry.version(alias: reference.alias ?? "", of: reference.name)
      }
    } catch {
      return .unknown(Diagnostic(.tracking, "cannot look up '\(text)'").because(of: Diagnostic(.tracking, error.words)))
    }
    guard let version else {
      return .none(Diagnostic(.tracking, "'\(text)' is not in the registry of '\(client.server.place)'"))
    }
    guard let run = version.tags["cairn.run"].flatMap({ RunID(hex: $0) }), let path = version.tags["cairn.path"] else {
      return .none(
        Diagnostic(.tracking, "'\(text)' was not registered by Cairn: its version says nothing of the run behind it")
          .hinting("its tags cairn.run and cairn.path would; a version made with `tracking.register` has them"))
    }
    return .found(version.model(of: run, path, client.server.place))
  }
}
