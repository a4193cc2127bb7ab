// Turns the definitions of one dvc.yaml into resolved stages: vars, foreach, matrix, `${}`. Knows nothing of what
// the fields of a stage mean.
import OrderedCollections
import Synchronization

/// A stage's fields with every template in them resolved.
package struct ResolvedStage: Sendable {
  package var name: String
  /// Its fields, without `vars`, `foreach` and `matrix`.
  package var fields: MarkedValue
  /// Made by `foreach` or `matrix`: the name in the file.
  package var group: String?
  /// Not what the file says word for word: DVC will not edit such a stage.
  package var isParametrized: Bool
  /// Its name in the file.
  package var mark: SourceMark?
  /// The values that its templates took; empty unless `TemplatePlace.notesUses`.
  package var uses: [TemplateUse] = []
  /// How its command is made; `nil` unless `TemplatePlace.notesUses`.
  package var command: CommandTemplate?
}

/// Where a dvc.yaml stands and what it may refer to.
package struct TemplatePlace: Sendable {
  /// Of the dvc.yaml.
  package var file: RepoPath
  /// Where names in messages start.
  package var folder: RepoPath
  package var paths: PathResolver
  package var unpacking: UnpackingOptions
  /// Whether stages say which values their templates took.
  package var notesUses = false

  package init(
    file: RepoPath, folder: RepoPath, paths: PathResolver, unpacking: UnpackingOptions = UnpackingOptions()
  ) {
    self.file = file
    self.folder = folder
    self.paths = paths
    self.unpacking = unpacking
  }

  var shown: String { file.relative(to: folder) }
}

/// Stages are resolved one by one, on demand, as DVC does: a fault in one says nothing of the others.
///
/// Any thread may ask for any stage; `foreach` data is resolved once and kept.
package final class PipelineTemplate: Sendable {
  private enum Definition {
    case entry(MarkedValue)
    case foreach(over: MarkedValue, template: MarkedValue)
    case matrix(MarkedValue, template: MarkedValue)
  }

  private struct Item {
    var node: TemplateNode
    /// What `${key}` is; `nil` where it is not offered.
    var key: String?
  }

  private struct Group {
    var items: OrderedDictionary<String, Item> = [:]
    var warnings: [String] = []
    var checked = false
  }

  private struct State {
    var groups: [String: Group] = [:]
    var warnings: [String] = []
  }

  private let place: TemplatePlace
  private let source: any ParameterSource
  private let context: TemplateContext
  private let interpolation: Interpolation
  private let definitions: OrderedDictionary<String, (definition: Definition, mark: SourceMark?)>
  private let document: MarkedValue
  private let state = Mutex(State())
  /// What DVC warns of, in the order in which groups were asked for first.
  package var warnings: [String] { state.withLock { $0.warnings } }

  /// `document` must have passed the schema. Loads `vars` and the default `params.yaml`.
  package init(_ document: MarkedValue, at place: TemplatePlace, source: any ParameterSource) throws(Diagnostic) {
    self.place = place
    self.source = source
    self.document = document
    interpolation = Interpolation(unpacking: place.unpacking)

    var definitions: OrderedDictionary<String, (definition: Definition, mark: SourceMark?)> = [:]
    for entry in document["stages"]?.entries ?? [] {
      guard let name = entry.key.string else { continue }
      definitions[name] = (Self.definition(entry.value), entry.key.mark)
    }
    self.definitions = definitions

    let shown = place.shown
    let vars = document["vars"]
    if let text = Interpolation.firstInterpolated(in: vars) {
      throw Diagnostic(.template, "failed to parse 'vars' in '\(shown)': interpolating is not allowed", at: text.mark)
    }
    var context = TemplateContext()
    let wdir = Location.local(place.file.parent)
    do throws(TemplateFault) {
      let (location, _) = Self.locate("params.yaml", in: wdir, place)
      let isThere: Bool
      do throws(Diagnostic) { isThere = try source.parameters(at: location) != nil } catch {
        throw TemplateFault(.other(error), error.fullMessage)
      }
      if isThere { try context.load(file: "params.yaml", from: source) { Self.locate($0, in: wdir, place) } }
      // The default one may as well be absent.
      if place.notesUses { context.uses = TemplateUses() }
      try context.load(vars: vars, ofStage: nil, from: source) { Self.locate($0, in: wdir, place) }
    } catch {
      throw error.diagnostic("'vars'", in: shown, at: vars?.mark)
    }
    self.context = context
  }

  private static func definition(_ value: MarkedValue) -> Definition {
    if let matrix = value["matrix"] {
      let rest = (value.entries ?? []).filter { $0.key.string != "matrix" }
      return .matrix(matrix, template: MarkedValue(.map(rest), at: value.mark))
    }
    if let data = value["foreach"], let template = value["do"] { return .foreach(over: data, template: template) }
    return .entry(value)
  }

  /// A file named in `vars`, and how messages show it.
  private static func locate(
    _ path: String, in wdir: Location, _ place: TemplatePlace
  ) -> (location: Location, shown: String) {
    let location = place.paths.location(of: path, in: wdir)
    switch location {
    case .local(let inside): return (location, path.hasPrefix("/") ? path : inside.relative(to: place.folder))
    case .external(let outside):
      return (location, path.hasPrefix("/") ? path : place.paths.relative(outside.absolute, to: place.folder))
    case .url(let url): return (location, url)
    }
  }

  /// Files, as messages show them, that must be there for the stages to be known at all: those that `vars` name, and
  /// those that what stands outside of stages takes values from. As far as stages were asked for; empty unless
  /// `TemplatePlace.notesUses`.
  package var neededFiles: [String] { context.uses.map { $0.files + $0.all.map(\.source) } ?? [] }

  // MARK: Names

  /// The names of all stages, those of `foreach` and `matrix` unrolled, in the file's order.
  package func names() throws(Diagnostic) -> [String] {
    var names: [String] = []
    for (name, definition) in definitions {
      if case .entry = definition.definition {
        names.append(name)
      } else {
        for key in try group(name).items.keys { names.append(name + "@" + key) }
      }
    }
    return names
  }

  /// True for the name of a `foreach` or `matrix`.
  package func isGroup(_ name: String) -> Bool {
    guard let definition = definitions[name]?.definition else { return false }
    if case .entry = definition { return false }
    return true
  }

  /// The stage of that name; `nil` when there is none.
  package func resolve(_ name: String) throws(Diagnostic) -> ResolvedStage? {
    if name.isEmpty {
      throw Diagnostic(
        .stageName, "Stage name not provided.Please specify the name as: `\(place.shown):stage_name`",
        at: definitions[name]?.mark)
    }
    guard let at = name.lastIndex(of: "@") else {
      guard let (definition, mark) = definitions[name], case .entry(let entry) = definition else { return nil }
      return try resolve(entry, named: name, group: nil, item: nil, mark: mark)
    }
    let groupName = String(name[..<at])
    let key = String(name[name.index(after: at)...])
    guard isGroup(groupName), let (definition, mark) = definitions[groupName],
      let item = try group(groupName).items[key]
    else { return nil }
    switch definition {
    case .entry: return nil
    case .foreach(_, let template), .matrix(_, let template):
      if key.isEmpty {
        throw Diagnostic.unexpected(
          .stageName, at: mark,
          hint: "an item of '\(groupName)' gives no name: its text, or the whole matrix, is empty")
      }
      try check(template, named: groupName)
      return try resolve(template, named: name, group: groupName, item: item, mark: mark)
    }
  }

  private func check(_ template: MarkedValue, named name: String) throws(Diagnostic) {
    if state.withLock({ $0.groups[name]?.checked == true }) { return }
    try checkSyntax(template, named: name)
    state.withLock { $0.groups[name]?.checked = true }
  }

  private func checkSyntax(_ fields: MarkedValue, named name: String) throws(Diagnostic) {
    for entry in fields.entries ?? [] {
      do throws(TemplateFault) { try Interpolation.checkSyntax(entry.value) } catch {
        throw error.diagnostic(
          "'stages.\(name).\(entry.key.string ?? "")'", in: place.shown, at: entry.value.mark)
      }
    }
  }

  // MARK: One stage

  private func resolve(
    _ fields: MarkedValue, named name: String, group: String?, item: Item?, mark: SourceMark?
  ) throws(Diagnostic) -> ResolvedStage {
    let shown = place.shown
    if group == nil { try checkSyntax(fields, named: name) }
    var context = context
    if let item {
      if let key = item.key { context.iteration["key"] = TemplateNode(.scalar(.string(key))) }
      context.iteration["item"] = item.node
      // The order of insertion is the order in messages.
      if item.key != nil, case .foreach = definitions[group ?? ""]?.definition { context.iteration.reverse() }
    }
    if let text = Interpolation.firstInterpolated(in: fields["vars"]) {
      throw Diagnostic(
        .template, "failed to parse 'stages.\(name).vars' in '\(shown)': interpolating is not allowed", at: text.mark)
    }
    if let vars = fields["vars"], !(vars.items ?? []).isEmpty {
      let wdir = try wdir(of: fields, named: name, context)
      do throws(TemplateFault) {
        try context.load(vars: vars, ofStage: name, from: source) { Self.locate($0, in: wdir, place) }
      } catch {
        if case .alreadyLoaded = error.kind {
          throw error.diagnostic("'stages.\(name).vars'", in: shown, at: vars.mark)
        }
        throw error.diagnostic("stage '\(name)'", in: shown, at: vars.mark)
      }
    }
    if place.notesUses { context.uses = TemplateUses() }
    var resolved: [MarkedValue.MarkedEntry] = []
    for entry in fields.entries ?? [] where entry.key.string != "vars" {
      let key = entry.key.string ?? ""
      do throws(TemplateFault) {
        let value = try interpolation.resolve(entry.value, in: context, key: key)
        resolved.append(MarkedValue.MarkedEntry(key: entry.key, value: value))
      } catch {
        throw error.diagnostic("'stages.\(name).\(key)'", in: shown, at: entry.value.mark)
      }
    }
    let result = MarkedValue(.map(resolved), at: fields.mark)
    let uses = context.uses?.all ?? []
    // Told of by now: its faults are those of the command above.
    let command = place.notesUses ? try? CommandTemplate(fields["cmd"], in: context, interpolation) : nil
    let isParametrized = group != nil || fields["vars"] != nil || !fields.hasSameTexts(as: result)
    return ResolvedStage(
      name: name, fields: result, group: group, isParametrized: isParametrized, mark: mark,
      uses: uses, command: command)
  }

  private func wdir(of fields: MarkedValue, named name: String, _ context: TemplateContext) throws(Diagnostic) -> Location {
    let home = Location.local(place.file.parent)
    guard let wdir = fields["wdir"], let text = wdir.string, !text.isEmpty else { return home }
    do throws(TemplateFault) {
      let value = try interpolation.resolve(text, in: context, key: nil)
      return place.paths.location(of: try interpolation.text(of: value), in: home)
    } catch {
      throw error.diagnostic("'stages.\(name).wdir'", in: place.shown, at: wdir.mark)
    }
  }

  // MARK: Groups

  private func group(_ name: String) throws(Diagnostic) -> Group {
    if let group = state.withLock({ $0.groups[name] }) { return group }
    let group: Group
    switch definitions[name]?.definition {
    case .foreach(let data, _): group = try foreach(data, named: name)
    case .matrix(let data, _): group = try matrix(data, named: name)
    case .entry, nil: group = Group()
    }
    state.withLock { state in
      // Another thread may have been as quick.
      if state.groups[name] == nil { state.warnings += group.warnings }
      state.groups[name] = group
    }
    return group
  }

  private func foreach(_ data: MarkedValue, named name: String) throws(Diagnostic) -> Group {
    var group = Group()
    do throws(TemplateFault) {
      let iterable = try iterable(data)
      try checkCount([iterable.count], "stages.\(name).foreach", data.mark)
      switch iterable {
      case .map(let entries):
        group.warnings = warningIfHidden(["item", "key"], by: name)
        for (key, node) in entries { group.items[key] = Item(node: node.node, key: key) }
      case .list(let nodes):
        group.warnings = warningIfHidden(["item"], by: name)
        let isComposite = nodes.contains { $0.node.isContainer }
        for (index, node) in nodes.enumerated() {
          group.items[isComposite ? String(index) : try node.name(interpolation)] = Item(node: node.node, key: nil)
        }
      case .other(let value):
        throw TemplateFault(
          .other(
            Diagnostic(
              .template,
              "failed to resolve 'stages.\(name).foreach' in '\(place.shown)': expected list/dictionary, got "
                + PythonText.typeName(value), at: data.mark)), "")
      }
    } catch {
      throw error.diagnostic("'stages.\(name).foreach'", in: place.shown, at: data.mark)
    }
    return group
  }

  private func matrix(_ data: MarkedValue, named name: String) throws(Diagnostic) -> Group {
    var axes: [(name: String, values: [(text: String, node: TemplateNode)])] = []
    for entry in data.entries ?? [] {
      do throws(TemplateFault) {
        let axis = try interpolation.text(of: try interpolation.resolve(entry.key, in: context, key: nil).value)
        let values: [IterationNode]
        switch try iterable(entry.value) {
        case .list(let nodes): values = nodes
        case .map(let entries): values = entries.keys.map { IterationNode(node: TemplateNode(.scalar(.string($0))), isNamed: false) }
        case .other(.string(let text)) where !Interpolation.isInterpolated(entry.value.string ?? ""):
          values = text.unicodeScalars.map { IterationNode(node: TemplateNode(.scalar(.string(String($0)))), isNamed: false) }
        case .other:
          throw TemplateFault(
            .other(
              Diagnostic.unexpected(
                .template, "'Value' object is not iterable", at: entry.value.mark,
                hint: "'\(axis)' of the matrix of '\(name)' must be a list")), "")
        }
        var named: [(text: String, node: TemplateNode)] = []
        for (index, value) in values.enumerated() {
          named.append((value.node.isContainer ? "\(axis)\(index)" : try value.name(interpolation), value.node))
        }
        axes.append((axis, named))
      } catch {
        throw error.diagnostic("'stages.\(name).matrix'", in: place.shown, at: entry.value.mark)
      }
    }
    do throws(TemplateFault) {
      try checkCount(axes.map(\.values.count), "stages.\(name).matrix", data.mark)
    } catch { throw error.diagnostic("'stages.\(name).matrix'", in: place.shown, at: data.mark) }
    var group = Group(warnings: warningIfHidden(["key", "item"], by: name))
    if axes.contains(where: { $0.values.isEmpty }) { return group }
    var choice = Array(repeating: 0, count: axes.count)
    while true {
      var map: OrderedDictionary<String, TemplateNode> = [:]
      for (axis, index) in zip(axes, choice) { map[axis.name] = axis.values[index].node }
      let key = zip(axes, choice).map { $0.values[$1].text }.joined(separator: "-")
      group.items[key] = Item(node: TemplateNode(.map(map)), key: key)
      var axis = axes.count - 1
      while axis >= 0, choice[axis] == axes[axis].values.count - 1 {
        choice[axis] = 0
        axis -= 1
      }
      if axis < 0 { return group }
      choice[axis] += 1
    }
  }

  /// A few lines can ask for more stages than a machine can hold.
  package static let mostStages = 100_000

  private func checkCount(_ factors: [Int], _ what: String, _ mark: SourceMark?) throws(TemplateFault) {
    var count = 1
    for factor in factors { count = min(Self.mostStages + 1, count * min(factor, Self.mostStages + 1)) }
    guard count > Self.mostStages else { return }
    throw TemplateFault(
      .other(
        Diagnostic(
          .template, "'\(what)' in '\(place.shown)' makes more than \(Self.mostStages) stages", at: mark,
          hint: "go over fewer items, or let one stage do several")), "")
  }

  private func warningIfHidden(_ names: [String], by group: String) -> [String] {
    let hidden = names.filter(context.contains)
    if hidden.isEmpty { return [] }
    return [
      "\(hidden.joined(separator: " and ")) \(hidden.count == 1 ? "is" : "are") already specified, "
        + "will be overwritten for stages generated from '\(group)'"
    ]
  }

  private struct IterationNode {
    var node: TemplateNode
    /// Taken from the context by name: DVC then writes a truth value as Python does (`True`).
    var isNamed: Bool

    func name(_ interpolation: Interpolation) throws(TemplateFault) -> String {
      isNamed ? PythonText.str(node.value) : try interpolation.text(of: node.value)
    }
  }

  private enum Iterable {
    case list([IterationNode])
    case map(OrderedDictionary<String, IterationNode>)
    case other(Value)

    var count: Int {
      switch self {
      case .list(let items): items.count
      case .map(let entries): entries.count
      case .other: 1
      }
    }
  }

  private func iterable(_ data: MarkedValue) throws(TemplateFault) -> Iterable {
    switch data.node {
    case .scalar(.string(let text)):
      guard let node = try interpolation.node(of: text, in: context) else {
        return .other(try interpolation.resolve(text, in: context, key: nil))
      }
      switch node.kind {
      case .scalar(let value): return .other(value)
      case .list(let items): return .list(items.map { IterationNode(node: $0, isNamed: true) })
      case .map(let map): return .map(map.mapValues { IterationNode(node: $0, isNamed: true) })
      }
    case .scalar(let value): return .other(value)
    case .list(let items):
      var nodes: [IterationNode] = []
      for item in items { nodes.append(try iterationNode(item)) }
      return .list(nodes)
    case .map(let entries):
      var map: OrderedDictionary<String, IterationNode> = [:]
      for entry in entries {
        let key = try interpolation.resolve(entry.key, in: context, key: nil).value
        map[try interpolation.text(of: key)] = try iterationNode(entry.value)
      }
      return .map(map)
    }
  }

  /// What stands in a list or map that is written out: names in it keep the origin of what they name.
  private func iterationNode(_ value: MarkedValue) throws(TemplateFault) -> IterationNode {
    if let text = value.string {
      if let node = try interpolation.node(of: text, in: context) { return IterationNode(node: node, isNamed: true) }
      let resolved = try interpolation.resolve(text, in: context, key: nil)
      return IterationNode(node: TemplateNode(.scalar(resolved), mark: value.mark), isNamed: false)
    }
    switch value.node {
    case .scalar:
      return IterationNode(node: try TemplateNode(value, source: nil, isLocal: true), isNamed: false)
    case .list(let items):
      var nodes: [TemplateNode] = []
      for item in items { nodes.append(try iterationNode(item).node) }
      return IterationNode(node: TemplateNode(.list(nodes), mark: value.mark), isNamed: false)
    case .map(let entries):
      var map: OrderedDictionary<String, TemplateNode> = [:]
      for entry in entries {
        guard let key = try interpolation.resolve(entry.key, in: context, key: nil).string else { continue }
        map[key] = try iterationNode(entry.value).node
      }
      return IterationNode(node: TemplateNode(.map(map), mark: value.mark), isNamed: false)
    }
  }

  // MARK: Top-level sections

  /// `params`, `metrics`, `plots`, `datasets`: the items resolved.
  package func section(_ name: String) throws(Diagnostic) -> [MarkedValue] {
    var resolved: [MarkedValue] = []
    for (index, item) in (document[name]?.items ?? []).enumerated() {
      resolved.append(try topLevel(item, "'\(name).\(index)'"))
    }
    return resolved
  }

  /// `artifacts`: by resolved name.
  package func artifacts() throws(Diagnostic) -> [(name: String, value: MarkedValue)] {
    var resolved: [(String, MarkedValue)] = []
    for entry in document["artifacts"]?.entries ?? [] {
      let written = entry.key.string ?? ""
      let name = try topLevel(entry.key, "'artifacts.\(written)'")
      guard let text = name.string else {
        throw Diagnostic(
          .template,
          "failed to resolve 'artifacts.\(written)' in '\(place.shown)': expected str, got "
            + PythonText.typeName(name.value), at: entry.key.mark)
      }
      resolved.append((text, try topLevel(entry.value, "'artifacts.\(written)'")))
    }
    return resolved
  }

  private func topLevel(_ value: MarkedValue, _ words: String) throws(Diagnostic) -> MarkedValue {
    do throws(TemplateFault) {
      try Interpolation.checkSyntax(value)
      return try interpolation.resolve(value, in: context, key: nil)
    } catch {
      throw error.diagnostic(words, in: place.shown, at: value.mark)
    }
  }
}

extension MarkedValue {
  /// Equal as far as templates can change it: quick where nothing was.
  fileprivate func hasSameTexts(as other: MarkedValue) -> Bool {
    switch (node, other.node) {
    case (.scalar(let a), .scalar(let b)): a == b
    case (.list(let a), .list(let b)):
      a.count == b.count && zip(a, b).allSatisfy { $0.hasSameTexts(as: $1) }
    case (.map(let a), .map(let b)):
      a.count == b.count
        && zip(a, b).allSatisfy { $0.key.hasSameTexts(as: $1.key) && $0.value.hasSameTexts(as: $1.value) }
    default: false
    }
  }
}
