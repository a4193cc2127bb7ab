// How DVC writes a stage into `dvc.yaml`: the entry's keys, their order, and what is left out.
internal import CairnCore

enum StageDeclaration {
  /// The entry under `stages:`: lists by name, parameters of `params.yaml` first, only what says something.
  static func entry(_ stage: Stage) -> ValueMap {
    var entry = ValueMap()
    if let text = stage.description, !text.isEmpty { entry["desc"] = .string(text) }
    entry["cmd"] = stage.commandValue
    if let wdir = wdir(of: stage) { entry["wdir"] = .string(wdir) }
    let deps = stage.dependencies.map(\.declared).sorted { $0.precedesInBytes($1) }
    if !deps.isEmpty { entry["deps"] = .list(deps.map { .string($0) }) }
    let params = parameters(stage.parameters)
    if !params.isEmpty { entry["params"] = .list(params) }
    for (key, role) in [("outs", Output.Role.out), ("metrics", .metric), ("plots", .plot)] {
      let outputs = stage.outputs.filter { $0.role == role }.sorted { $0.declared.precedesInBytes($1.declared) }
      if !outputs.isEmpty { entry[.string(key)] = .list(outputs.map(output)) }
    }
    if stage.isFrozen { entry["frozen"] = true }
    if stage.isAlwaysChanged { entry["always_changed"] = true }
    if let meta = stage.meta?.value, meta.isTruthy { entry["meta"] = meta }
    return entry
  }

  private static func wdir(of stage: Stage) -> String? {
    switch stage.wdir {
    case .local(let folder):
      let text = folder.relative(to: stage.address.file.parent)
      return text == "." ? nil : text
    case .external(let path): return path.absolute
    case .url(let url): return url
    }
  }

  private static func parameters(_ sets: [ParameterSet]) -> [Value] {
    var result: [Value] = []
    for set in sets.sorted(by: { $0.declared.precedesInBytes($1.declared) }) {
      let keys = set.keys.sorted { $0.precedesInBytes($1) }.map { Value.string($0) }
      if set.declared == "params.yaml", !keys.isEmpty {
        result = keys + result
      } else {
        result.append(.map([.string(set.declared): keys.isEmpty ? .null : .list(keys)]))
      }
    }
    return result
  }

  private static func output(_ output: Output) -> Value {
    var flags = ValueMap()
    for key in ["desc", "type", "labels", "meta"] as [Value] {
      if let value = output.annotations[key], value.isTruthy { flags[key] = value }
    }
    if !output.isCached { flags["cache"] = false }
    if output.isPersistent { flags["persist"] = true }
    if output.role == .plot { for (key, value) in output.plotProperties { flags[key] = value } }
    if let remote = output.remote { flags["remote"] = .string(remote) }
    if !output.isPushed { flags["push"] = false }
    let name = Value.string(output.declared)
    return flags.isEmpty ? name : .map([name: .map(flags)])
  }
}
