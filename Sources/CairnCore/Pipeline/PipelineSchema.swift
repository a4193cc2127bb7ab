// The shapes of a `dvc.yaml` and a `.dvc` file, as DVC 3.67 accepts them.

package enum PipelineSchema {
  /// Throws unless `document` has the shape of a `dvc.yaml`.
  package static func validatePipeline(_ document: MarkedValue, shown: String) throws(Diagnostic) {
    if document.isFalsy { return }
    try pipeline.validate(document, shown: shown)
  }

  /// Throws unless `document` has the shape of a `.dvc` file.
  package static func validateTracked(_ document: MarkedValue, shown: String) throws(Diagnostic) {
    if document.isFalsy { return }
    try tracked.validate(document, shown: shown)
  }

  private static let annotations: [Schema.Field] = [
    .init("desc", .text), .init("type", .text), .init("labels", .list(of: .text)), .init("meta", .anything),
  ]

  private static let outputFlags: [Schema.Field] =
    annotations + [
      .init("cache", .flag), .init("persist", .flag), .init("checkpoint", .flag), .init("remote", .text),
      .init("push", .flag),
    ]

  package static let plotProperties = ["template", "x", "y", "x_label", "y_label", "title", "header"]

  private static let plotFlags: Schema = .map(
    outputFlags + plotProperties.map { .init($0, $0 == "header" ? .flag : .text) })

  // Of two faults at one depth the first is told, and DVC tells that of the map.
  private static let vars: Schema = .list(of: .anyOf([.anyMap, .text]))

  private static let stageFields: [Schema.Field] = [
    .init("matrix", .map([], others: .anyOf([.text, .anyList]))),
    .init("cmd", .anyOf([.text, .anyList]), required: true),
    .init("wdir", .text),
    .init("deps", .list(of: .text)),
    .init("params", .list(of: .anyOf([.text, .anyMap]))),
    .init("vars", vars),
    .init("frozen", .flag),
    .init("meta", .anything),
    .init("desc", .text),
    .init("always_changed", .flag),
    .init("outs", .list(of: .anyOf([.text, .map([], others: .map(outputFlags))]))),
    .init("metrics", .list(of: .anyOf([.text, .map([], others: .map(outputFlags))]))),
    .init("plots", .list(of: .anyOf([.text, .map([], others: .anyOf([plotFlags, .list(of: plotFlags)]))]))),
  ]

  private static let stage: Schema = .map(stageFields)

  private static let foreach: Schema = .map([
    .init("foreach", .anyOf([.anyMap, .anyList, .text]), required: true), .init("do", stage, required: true),
  ])

  private static let anyStage: Schema = .choose { value in
    value["foreach"] != nil || value["do"] != nil ? foreach : stage
  }

  private static let plotDefinition: Schema = .map([
    .init("x", .anyOf([.text, .map([], others: .text)])),
    .init("y", .anyOf([.text, .list(of: .text), .map([], others: .anyOf([.text, .list(of: .text)]))])),
    .init("x_label", .text), .init("y_label", .text), .init("title", .text), .init("template", .text),
  ])

  private static let pipeline: Schema = .map([
    .init("datasets", .anything),
    .init("plots", .list(of: .anyOf([.text, .map([], others: .anyOf([plotDefinition, .none]))]))),
    .init("stages", .map([], others: anyStage)),
    .init("vars", vars),
    .init("params", .list(of: .text)),
    .init("metrics", .list(of: .text)),
    .init("artifacts", .map([], others: .map([.init("path", .text, required: true)] + annotations))),
  ])

  // MARK: .dvc files

  private static let checksum: Schema = .check { value in
    let text = PythonText.str(value)
    switch value {
    case .null: return nil
    case .string, .int, .bigInt, .bool: return text.isEmpty || text.unicodeScalars.count >= 3 ? nil : "not a valid value"
    default: return "not a valid value"
    }
  }

  private static let hashes: [Schema.Field] = ["md5", "checksum", "etag"].map { .init($0, checksum) }

  private static let sizes: [Schema.Field] = [
    .init("size", .integer), .init("nfiles", .integer), .init("isexec", .flag), .init("version_id", .text),
  ]

  private static let cloud: Schema = .map([], others: .map(sizes + hashes))

  private static let files: Schema = .list(
    of: .map(hashes + sizes + [.init("relpath", .text, required: true), .init("cloud", cloud)]))

  private static let artifact: [Schema.Field] =
    hashes + sizes + [
      .init("path", .text), .init("persist", .flag), .init("cloud", cloud), .init("hash", .text),
    ]

  private static let trackedDependency: Schema = .map(
    artifact + [
      .init(
        "repo",
        .map([
          .init("url", .text, required: true), .init("rev", .text), .init("rev_lock", .text),
          .init("config", .anyOf([.text, .anyMap])), .init("remote", .anyOf([.text, .anyMap])),
        ])),
      .init("db", .map(["query", "connection", "file_format", "table"].map { .init($0, .text) })),
      .init("files", files), .init("fs_config", .anyMap),
    ])

  private static let trackedOutput: Schema = .map(
    artifact + annotations + [
      .init("cache", .flag), .init("remote", .text), .init("push", .flag), .init("files", files),
      .init("fs_config", .anyMap),
    ])

  private static let tracked: Schema = .map([
    .init("md5", checksum),
    .init("wdir", .anyOf([.text, .none])),
    .init("deps", .anyOf([.list(of: trackedDependency), .none])),
    .init("outs", .anyOf([.list(of: trackedOutput), .none])),
    .init("locked", .flag), .init("frozen", .flag), .init("meta", .anything), .init("always_changed", .flag),
    .init("desc", .text),
  ])
}
