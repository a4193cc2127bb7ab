// One stage as it is declared, all templates resolved: the unit that runs, is locked and is recorded.

package struct Stage: Sendable {
  package enum Kind: Sendable, Hashable {
    /// A stage of a `dvc.yaml`.
    case pipeline
    /// A `.dvc` file: data added, imported, or (DVC before 1.0) a single stage with a command.
    case tracked
  }

  package var address: StageAddress
  package var kind: Kind
  /// One entry for each command, in order, before lines are split; empty for data.
  package var commands: [String]
  /// `cmd:` was a list: the lock then has a list, even of one.
  package var commandIsList: Bool
  /// Where commands run and paths start.
  package var wdir: Location
  /// In the order of DVC's: `deps:` as declared; parameters are apart.
  package var dependencies: [Dependency]
  /// In the order of DVC's: `outs:`, `metrics:`, `plots:`, each as declared.
  package var outputs: [Output]
  package var parameters: [ParameterSet]
  package var isFrozen: Bool
  package var isAlwaysChanged: Bool
  package var description: String?
  package var meta: MarkedValue?
  package var settings: StageSettings
  /// Made by `foreach` or `matrix`: the name of the group (`train` of `train@0`).
  package var group: String?
  /// Something of its declaration came from a template.
  package var isParametrized: Bool
  /// The values that its templates took from files; empty unless the loader was asked to note them.
  package var uses: [TemplateUse] = []
  /// How its command is made; `nil` unless the loader was asked to note it.
  package var commandTemplate: CommandTemplate?
  /// The `.dvc` file behind a tracked stage, as read: its hashes are its lock.
  package var tracked: TrackedFile?
  /// Its name in `dvc.yaml` (of a group: the template's); the top of a `.dvc` file.
  package var mark: SourceMark?
  package var commandMark: SourceMark?
  /// Of a list, the mark of each command.
  package var commandMarks: [SourceMark?] = []

  package init(address: StageAddress, kind: Kind) {
    self.address = address
    self.kind = kind
    commands = []
    commandIsList = false
    wdir = .local(address.file.parent)
    dependencies = []
    outputs = []
    parameters = []
    isFrozen = false
    isAlwaysChanged = false
    settings = StageSettings()
    isParametrized = false
  }

  /// Where a command is written.
  package func mark(ofCommand index: Int) -> SourceMark? {
    (commandMarks.indices.contains(index) ? commandMarks[index] : nil) ?? commandMark
  }

  /// `cmd` as the lock has it.
  package var commandValue: Value {
    commandIsList ? .list(commands.map { .string($0) }) : commands.first.map { .string($0) } ?? .null
  }

  /// Brought from elsewhere by `import` or `import-url`.
  package var isImport: Bool { kind == .tracked && commands.isEmpty && !dependencies.isEmpty }
  /// A `.dvc` file without a command: DVC says its name alone where it says "Stage" of others.
  package var isPlainFile: Bool { kind == .tracked && commands.isEmpty }
  /// DVC's callback stage: a command that depends on nothing and makes nothing runs every time.
  package var isCallback: Bool {
    !commands.isEmpty && dependencies.isEmpty && parameters.isEmpty && outputs.isEmpty
  }
}

package struct Dependency: Sendable {
  /// As declared after interpolation, relative to the stage's `wdir`: what the lock writes.
  package var declared: String
  package var location: Location
  /// The declaration gives an absolute path, also where it leads into the project.
  package var isWrittenAbsolute = false
  /// Set for `import`, `import-url`, datasets: what stands in the `.dvc` file beside the path.
  package var source: ImportSource?
  package var mark: SourceMark?

  package init(declared: String, location: Location, mark: SourceMark? = nil, source: ImportSource? = nil) {
    self.declared = declared
    self.location = location
    self.mark = mark
    self.source = source
  }
}

/// The other end of an import.
package struct ImportSource: Sendable, Hashable {
  /// `repo:` of a DVC or git import (`url`, `rev`, `rev_lock`, `config`, `remote`), in file order.
  package var repository: ValueMap?
  /// `db:`, `dataset:`, `fs_config:` and whatever else the dependency holds, as read.
  package var other: ValueMap

  package init(repository: ValueMap?, other: ValueMap = [:]) {
    self.repository = repository
    self.other = other
  }
}

package struct Output: Sendable {
  package enum Role: String, Sendable { case out, metric, plot }

  /// As declared after interpolation, relative to the stage's `wdir`: what the lock writes.
  package var declared: String
  package var location: Location
  /// The declaration gives an absolute path, also where it leads into the project.
  package var isWrittenAbsolute = false
  package var role: Role
  package var isCached = true
  package var isPersistent = false
  package var isPushed = true
  package var remote: String?
  /// `desc`, `type`, `labels`, `meta` as declared.
  package var annotations: ValueMap = [:]
  /// What `plots:` says of it beyond the flags above (`x`, `y`, `title`, `template`, …), in file order.
  package var plotProperties: ValueMap = [:]
  /// What `metrics:` says of it beyond the flags above.
  package var metricProperties: ValueMap = [:]
  package var mark: SourceMark?

  package init(declared: String, location: Location, role: Role = .out, mark: SourceMark? = nil) {
    self.declared = declared
    self.location = location
    self.role = role
    self.mark = mark
  }
}

/// The keys that a stage reads from one parameter file.
package struct ParameterSet: Sendable {
  /// As declared, relative to the stage's `wdir`.
  package var declared: String
  package var location: Location
  /// The declaration gives an absolute path, also where it leads into the project.
  package var isWrittenAbsolute = false
  /// Dotted keys as declared; empty: the whole file.
  package var keys: [String]
  package var mark: SourceMark?
  /// Of each key, where it is declared.
  package var keyMarks: [String: SourceMark]

  package init(
    declared: String, location: Location, keys: [String], mark: SourceMark? = nil, keyMarks: [String: SourceMark] = [:]
  ) {
    self.declared = declared
    self.location = location
    self.keys = keys
    self.mark = mark
    self.keyMarks = keyMarks
  }
}

extension ParameterSet {
  /// What follows the first dot of a file's name, in lower case, with that dot, by which DVC chooses how to read it: to it
  /// `a.b.json` is no JSON, and `.toml` is TOML.
  package static func suffix(of path: String) -> String {
    let name = path.utf8.split(separator: UInt8(ascii: "/")).last ?? path.utf8[...]
    guard let dot = name.firstIndex(of: UInt8(ascii: ".")) else { return "" }
    return (String(name[dot...]) ?? "").lowercased()
  }
}
