// `cairn lineage`: what made it, or what it touched.
internal import ArgumentParser
internal import CairnCore
internal import CairnEngine
internal import CairnLineage
internal import CairnSystem

struct LineageCommand: OwnCommand {
  static let configuration = CommandConfiguration(
    commandName: "lineage", abstract: "Show what made a file or run, or what it touched",
    discussion: """
      Up (the default) answers what made this: every run, input, parameter and commit back to the sources. Down
      answers what it was used for, registered models included where a tracking server is named. A word that could mean
      two things can be said: path:, md5:, sha256:, run:.

      cairn lineage model.pkl
      cairn lineage --down data/raw.csv --json
      cairn lineage --down --any-version data/raw.csv
      cairn lineage models:/churn/3
      cairn lineage 7f3a b81c
      """)

  @OptionGroup var global: GlobalOptions
  @Flag(help: "What made it (the default).") var up = false
  @Flag(help: "What it was used for.") var down = false
  @Option(help: ArgumentHelp("The version of the path in this commit.", valueName: "rev")) var rev: String?
  @Option(help: ArgumentHelp("At most this many runs away.", valueName: "number")) var depth: Int?
  @Flag(help: "Also follow equal bytes at other places.") var byContent = false
  @Flag(help: "Take every version of the path that a run made; with --down, that a run read.") var anyVersion = false
  @Flag(help: "Print one JSON document.") var json = false
  @Flag(help: "Print a graph for Graphviz.") var dot = false
  @Flag(help: "Print a flowchart for Mermaid.") var mermaid = false
  @Option(help: ArgumentHelp("Write one self-contained page to this file.", valueName: "file"), completion: Completions.files) var html: String?
  @Option(help: ArgumentHelp("openlineage or cyclonedx.", valueName: "format")) var format: ExportFormat?
  @Argument(help: ArgumentHelp("A path, a hash, a run, or models:/NAME/VERSION.", valueName: "path|hash|run"), completion: Completions.files) var subject: String
  @Argument(help: ArgumentHelp("Another one: tell what differs in what made them.", valueName: "other"), completion: Completions.files) var other: String?

  func execute(_ invocation: Invocation) throws -> ExitStatus {
    if other != nil, down || dot || mermaid || html != nil || format != nil {
      throw Diagnostic.notTogether(
        "two things are compared by what made them: --down, --dot, --mermaid, --html and --format are for one")
    }
    if up, down { throw Diagnostic.notTogether("argument --down: not allowed with argument --up") }
    if [json, dot, mermaid, html != nil, format != nil].count(where: { $0 }) > 1 {
      throw Diagnostic.notTogether("--json, --dot, --mermaid, --html and --format are not allowed together")
    }
    if format == .cyclonedx, down || depth != nil {
      throw Diagnostic.notTogether("a bill of materials is of all that made something: --down and --depth are not for it")
    }
    if anyVersion, rev != nil || other != nil {
      throw Diagnostic.notTogether("argument --any-version: not allowed with --rev or a second path")
    }
    if let depth, depth < 0 { throw Diagnostic.notTogether("argument --depth: must not be negative") }
    let console = invocation.console
    if json || dot || mermaid || html != nil || format != nil { console.keepOutputForResults() }
    let context = try HistoryContext()
    let index = try context.history.index()
    var options = LineageQuery.Options()
    options.direction = down ? .down : .up
    options.depth = depth
    options.followsEqualBytes = byContent
    options.namesMakers = anyVersion
    let sources = SourceHistory(root: context.repository.root, store: index.store)
    options.isInHistory = { artifact in artifact.md5.flatMap { sources.commit(of: artifact.path, md5: $0) } != nil }
    let ownership = RunOwnership(sources)
    options.canBeOurs = { ownership.canBeOurs($0) }
    let folders = CachedFolders(context.settings)
    options.cachedFolder = { folders.manifest($0) }
    ImportedLineage(context.repository, depth: depth).answer(&options)
    let tracked = down || anyVersion ? try TrackedPaths.inWorkTree(context.repository) : nil
    if let tracked { options.locked = try LockedWork.all(of: context.repository, tracked) }
    var asked: RegisteredModel?
    func walk(_ word: String, rev: String?) throws -> LineageGraph {
      let subject =
        try anyVersion
        ? LineageSubject.versions(of: word, isDown: down, context.repository, index, locked: options.locked)
        : LineageSubject.find(
          word, rev: rev, isDown: down, context.repository, folders, index, tracked: tracked,
          model: { (word) throws(Diagnostic) in
            let model = try RunSubject.model(word, context.settings, context.repository)
            asked = model
            return model
          })
      for note in subject.notes { console.note(PrintableText.line(note)) }
      switch subject.what {
      case .run(let run): return try LineageQuery.graph(of: run, in: index, options)
      case .artifacts(let artifacts, let producer, let origin):
        return try LineageQuery.graph(of: artifacts, producer: producer, origin: origin, in: index, options)
      }
    }
    func tree(of graph: LineageGraph) -> LineageTree {
      LineageTree(
        graph: graph, isDown: down, followsEqualBytes: byContent, names: ShortNames(index), sources: sources,
        remote: DataOnRemote(context.repository, context.settings))
    }
    var graph = try walk(subject, rev: rev)
    if let other {
      // `--rev` says which version the first one is; the second is the present one, or says itself what it is.
      let second = try walk(other, rev: nil)
      let comparison = LineageComparison(graph, second) { index.store.environment($0) }
      let unknown = [(graph, comparison.unseen.a, title), (second, comparison.unseen.b, other)]
      compare(comparison, with: other, on: console) {
        var seen: Set<String> = []
        return unknown.flatMap { graph, unseen, title in tree(of: graph).unknownLines(unseen, of: title) }
          .filter { seen.insert($0).inserted }
      }
      return comparison.isComplete ? .success : .unknown
    }
    if let asked { name(asked, in: &graph) }
    if down { addModels(to: &graph, index, context) }
    if let format {
      try export(graph, as: format, context, index, console)
    } else if let html {
      try writePage(of: graph, to: html, context, console)
    } else if json {
      sources.describeCommits(of: &graph)
      console.write(json: graph.value)
    } else if dot {
      console.write(graph.dot)
    } else if mermaid {
      console.write(graph.mermaid)
    } else {
      for line in tree(of: graph).lines() { console.write(line) }
    }
    // Nothing is known of it: that is an answer of its own. What a model is was known before anything was asked of it.
    let isKnown = graph.edges.contains { edge in
      ![.sameBytes, .locked, .tagged].contains(edge.kind) && !(edge.kind == .registered && edge.to == asked?.id)
        && graph.nodes[edge.from] != nil && graph.nodes[edge.to] != nil
    }
    return !isKnown && !graph.unknown.isEmpty ? .unknown : .success
  }

  /// A model is told above what it is; walked down, it stands among what was made of it.
  private func name(_ model: RegisteredModel, in graph: inout LineageGraph) {
    if down { graph.roots.forEach { graph.add(model, of: $0) } } else { graph.makeRoot(model) }
  }

  /// What the registry knows; nothing where no tracking server is named.
  private func addModels(to graph: inout LineageGraph, _ index: LineageIndex, _ context: HistoryContext) {
    guard let tracking = TrackingSettings(context.settings, context.repository) else { return }
    do throws(Diagnostic) {
      let project = TrackedProject(try Workspace.open(context.repository, context.settings), tracking)
      // Who made what was asked for is not behind it on the way down, but registered it.
      var makers: [(run: RunID, record: RunRecord)] = []
      for case .artifact(let artifact) in graph.roots.compactMap({ graph.nodes[$0] }) {
        for run in try index.generators(of: artifact) {
          if let record = try index.store.record(run) { makers.append((run, record)) }
        }
      }
      // Others on the same server may have used the same bytes.
      let git = try GitRepository.find(from: context.repository.root)
      let isUnrecorded = { (model: RegisteredModel) in
        guard let commit = model.commit, ((try? git?.revision(commit)) ?? nil) != nil else { return false }
        return ((try? index.store.record(model.run)) ?? nil) == nil
      }
      ModelNodes(declared: Set(project.models.keys)).add(to: &graph, makers: makers, isUnrecorded: isUnrecorded) {
        () throws(Diagnostic) in
        guard let connector = TrackerConnectors.current else { throw Diagnostic(.tracking, "no server can be reached") }
        return try connector.reader(project)
      }
    } catch {
      // A pipeline that cannot be read is no reason to tell less of what was.
      if let root = graph.roots.first { graph.addUnknown(root, .registry, why: error.fullMessage) }
    }
  }

  /// The first of two things, as they are told apart.
  private var title: String { subject + (rev.map { " in " + $0 } ?? "") }

  private func compare(
    _ comparison: LineageComparison, with other: String, on console: Console, unknown: () -> [String]
  ) {
    if json { return console.write(json: comparison.value) }
    let sections = comparison.differences.map { ($0.section.rawValue, $0.items) }
    let none =
      comparison.isComplete
      ? "nothing differs in what made \(title) and \(other)"
      : "no difference is known, but not all that made \(title) and \(other) can be seen"
    for line in DifferenceTable.lines(sections, titles: (title, other)) ?? [none] { console.write(line: line) }
    if !comparison.isEmpty, comparison.common > 0 { console.write("the same in both: \(HumanText.count(comparison.common, "file"))") }
    for line in unknown() { console.write(line) }
  }
}

extension Diagnostic {
  fileprivate static func notTogether(_ words: String) -> Diagnostic {
    var diagnostic = Diagnostic(.usage, words)
    diagnostic.exitCode = ExitStatus.usage.rawValue
    return diagnostic
  }
}
