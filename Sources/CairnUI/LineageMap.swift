// A lineage graph as a page needs it: boxes with kinds and anchors, edges by number, and who made and read what.
// Knows graphs and records; knows nothing of HTML.
import CairnCore
import CairnFormats
import CairnSystem

/// Built in one pass over nodes and one over edges: pages of thousands of boxes ask it, not the graph.
struct LineageMap {
  /// What can be shown and hidden together.
  enum Kind: String, CaseIterable {
    case run, made, source, model, external, unknown

    var words: String {
      switch self {
      case .run: "Runs"
      case .made: "Made files"
      case .source: "Sources"
      case .model: "Registered models"
      case .external: "Places outside"
      case .unknown: "Unknown"
      }
    }
  }

  struct Box {
    var id: LineageNodeID?
    var kind: Kind
    /// What its colour tells: `ok`, `bad`, `cached`, or nothing.
    var state = ""
    var title: String
    var detail: String
    /// Of the place on the page that tells more.
    var anchor: String
    var isRoot = false
    /// What is searched beside title and detail.
    var words: [String] = []
  }

  struct Edge {
    var from: Int
    var to: Int
    var kind: LineageEdge.Kind?
  }

  let graph: LineageGraph
  private(set) var boxes: [Box] = []
  private(set) var edges: [Edge] = []
  private var numbers: [LineageNodeID: Int] = [:]
  private var madeBy: [LineageNodeID: [RunID]] = [:]
  private var readBy: [LineageNodeID: [RunID]] = [:]
  /// Oldest first.
  private(set) var runs: [(id: RunID, record: RunRecord)] = []
  private(set) var artifacts: [(id: LineageNodeID, artifact: LineageArtifact)] = []
  private(set) var commits: [(commit: String, repository: String?)] = []
  private(set) var externals: [LineageNodeID] = []
  private(set) var models: [RegisteredModel] = []

  init(_ graph: LineageGraph) {
    self.graph = graph
    for edge in graph.edges {
      switch (edge.kind, edge.from, edge.to) {
      case (.generated, .run(let run), _): madeBy[edge.to, default: []].append(run)
      case (.used, _, .run(let run)): readBy[edge.from, default: []].append(run)
      default: break
      }
    }
    addNodes()
    addUnknown()
    for edge in graph.edges {
      guard let from = numbers[edge.from], let to = numbers[edge.to] else { continue }
      edges.append(Edge(from: from, to: to, kind: edge.kind))
    }
    runs.sort { ($0.record.execution.started, $0.id.hex) < ($1.record.execution.started, $1.id.hex) }
    artifacts.sort { ($0.artifact.path, $0.id.description) < ($1.artifact.path, $1.id.description) }
  }

  private mutating func addNodes() {
    let roots = Set(graph.roots)
    for (id, node) in graph.nodes {
      var box: Box
      switch node {
      case .artifact(let artifact):
        artifacts.append((id, artifact))
        let isMade = madeBy[id] != nil
        box = Box(
          id: id, kind: isMade ? .made : .source, title: artifact.path,
          detail: [AmountText.size(artifact.size), artifact.md5.map { "md5 " + $0.prefix(8) }].compactMap { $0 }.joined(separator: " · "),
          anchor: Self.anchor(id))
        box.words = [artifact.md5 ?? "", artifact.sha256?.hex ?? ""]
      case .run(let record):
        guard case .run(let run) = id else { continue }
        runs.append((run, record))
        box = Box(
          id: id, kind: .run, state: Self.state(record.result), title: record.stage.address,
          detail: Self.word(record.result) + " · " + PageTime.minute(record.execution.started), anchor: Self.anchor(id))
        box.words = [run.hex, record.source.commit ?? "", record.actor.name, record.actor.host] + record.stage.cmd
      case .commit(let repository):
        commits.append((id.bare, repository))
        continue
      case .external:
        externals.append(id)
        box = Box(id: id, kind: .external, title: Self.address(id), detail: "imported from", anchor: Self.anchor(id))
      case .model(let model):
        models.append(model)
        box = Box(
          id: id, kind: .model, title: model.text,
          detail: (["registered"] + model.aliases.map { "@" + $0 }).joined(separator: " · "), anchor: Self.anchor(id))
        box.words = [model.md5 ?? "", model.source, model.run.hex]
      }
      box.isRoot = roots.contains(id)
      add(box, id)
    }
  }

  /// What nobody knows stands where it would stand if it were known.
  private mutating func addUnknown() {
    for unknown in graph.unknown {
      if case .run(let run) = unknown.node, numbers[unknown.node] == nil {
        var box = Box(
          id: unknown.node, kind: .unknown, title: "run " + run.hex.prefix(12), detail: Self.word(unknown.what),
          anchor: "unknown")
        box.words = [run.hex]
        add(box, unknown.node)
      } else if let number = numbers[unknown.node] {
        let detail = boxes[number].title
        boxes.append(Box(id: nil, kind: .unknown, title: "? " + Self.word(unknown.what), detail: detail, anchor: "unknown"))
        edges.append(Edge(from: boxes.count - 1, to: number, kind: nil))
      }
    }
  }

  private mutating func add(_ box: Box, _ id: LineageNodeID) {
    numbers[id] = boxes.count
    boxes.append(box)
  }

  // MARK: Questions

  func makers(of id: LineageNodeID) -> [RunID] { madeBy[id] ?? [] }
  func readers(of id: LineageNodeID) -> [RunID] { readBy[id] ?? [] }
  func record(_ run: RunID) -> RunRecord? { if case .run(let record) = graph.nodes[.run(run)] { record } else { nil } }
  func holds(_ id: LineageNodeID) -> Bool { numbers[id] != nil }

  /// The name of a node for people.
  func name(_ id: LineageNodeID) -> String {
    switch graph.nodes[id] {
    case .artifact(let artifact): artifact.path
    case .run(let record): record.stage.address
    case .external: Self.address(id)
    case .model(let model): model.text
    case .commit, nil: id.bare
    }
  }

  /// A place outside, without a password or a signature.
  static func address(_ id: LineageNodeID) -> String { GitRepository.withoutCredentials(id.bare) }

  static func anchor(_ id: LineageNodeID) -> String {
    switch id {
    case .artifact(let digest): "a-" + digest.hex
    case .run(let run): "r-" + run.hex
    case .commit(let hash): "c-" + hash.filter { $0.isASCII && ($0.isLetter || $0.isNumber) }
    case .external: "outside"
    // Names of models hold what an anchor may not.
    case .model: "m-" + PageHash.base64(Array(id.bare.utf8)).filter { $0.isLetter || $0.isNumber }.prefix(20)
    }
  }

  static func word(_ result: RunResult) -> String {
    switch result {
    case .succeeded: "succeeded"
    case .failed: "failed"
    case .aborted: "aborted"
    case .restored: "from the cache"
    case .inputChanged: "input changed"
    case .accepted: "accepted by a person"
    case .lost: "lost"
    }
  }

  static func state(_ result: RunResult) -> String {
    switch result {
    case .succeeded, .accepted: "ok"
    case .restored: "cached"
    case .failed, .aborted, .inputChanged, .lost: "bad"
    }
  }

  static func word(_ what: LineageGraph.Unknown.What) -> String {
    switch what {
    case .origin: "origin unknown"
    case .record: "no record of its run"
    case .missing: "record missing"
    case .erased: "record erased"
    case .altered: "record altered"
    case .unreadable: "record unreadable"
    case .foreign: "another project's record"
    case .repository: "imported, records not at hand"
    case .reader: "no record of who read it"
    case .registry: "registry not known"
    }
  }

  static func sentence(_ what: LineageGraph.Unknown.What) -> String {
    switch what {
    case .origin: "Nobody wrote down where it came from before the project had it."
    case .record: "A stage makes it, but no record says in which run: DVC may have run it."
    case .missing: "A record names this run, and it is not here."
    case .erased: "Its record was taken away; a tombstone says why (cairn runs check)."
    case .altered: "Its record has other bytes than its name says, and is not used."
    case .unreadable: "Its record is of a version that this program cannot read."
    case .foreign: "Only another project's record tells who made it."
    case .repository: "It was imported from a repository whose records are not at hand."
    case .reader: "A stage has read it, but no record says in which run: DVC may have run it."
    case .registry: "The registry of models does not answer, or says what the record does not."
    }
  }
}

/// Moments in UTC, to the minute or second: a page is read in any zone.
enum PageTime {
  static func second(_ moment: Nanoseconds) -> String { part(moment, 19) + " UTC" }
  static func minute(_ moment: Nanoseconds) -> String { part(moment, 16) }

  private static func part(_ moment: Nanoseconds, _ count: Int) -> String {
    String(Timestamp.text(moment).prefix(count)).replacing("T", with: " ")
  }
}
