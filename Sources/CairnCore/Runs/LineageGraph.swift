// What came from what, as a graph of values: artifacts, runs and the sources before them. Knows nothing of where
// records lie; its walk is CairnLineage's `LineageQuery`.
package import OrderedCollections

/// One version of a file or directory at one place, never mere bytes.
package struct LineageArtifact: Hashable, Sendable {
  /// The repository's URL (or its root commit); empty where there is none.
  package var repository: String
  /// Relative to the project's root.
  package var path: String
  package var md5: String?
  package var sha256: Digest32?
  package var size: UInt64?

  package init(repository: String, path: String, md5: String?, sha256: Digest32?, size: UInt64?) {
    self.repository = repository
    self.path = path
    self.md5 = md5
    self.sha256 = sha256
    self.size = size
  }

  /// What its id is made of: the SHA-256 where known, else the MD5.
  package var contentHash: String { sha256?.hex ?? md5 ?? "" }

  /// Equal bytes elsewhere say nothing below this size: every empty file and every `{}` would be a relative.
  package static let smallestTelling: UInt64 = 64
}

package enum LineageNodeID: Hashable, Sendable, CustomStringConvertible {
  /// First half of the SHA-256 of `repository NUL path NUL content hash`.
  case artifact(Digest16)
  case run(RunID)
  case commit(String)
  /// Where an import came from: a URL.
  case external(String)
  /// A version of a registered model.
  case model(name: String, version: String)

  package var description: String {
    switch self {
    case .artifact(let digest): "a:" + digest.hex
    case .run(let id): "r:" + id.hex
    case .commit(let hash): "c:" + hash
    case .external(let url): "e:" + url
    case .model(let name, let version): "m:\(name)/\(version)"
    }
  }
}

package struct LineageEdge: Hashable, Sendable {
  package enum Kind: String, Sendable {
    case used, generated
    case sameBytes = "same-bytes"
    /// From a place outside, by `dvc import` or `import-url`.
    case imported
    /// From the run that did the work to one that took its outputs from the cache.
    case restored
    /// From an output to the version of a registered model that it became.
    case registered
    /// From what a stage has read to what it made, by the lock alone: no record tells of the run.
    case locked
    /// From data to a version of a registered model whose tags name it, where no record tells of the runs between.
    case tagged
  }
  /// The way data flowed: from `from` to `to`.
  package var from: LineageNodeID
  package var to: LineageNodeID
  package var kind: Kind

  package init(_ from: LineageNodeID, _ to: LineageNodeID, _ kind: Kind) {
    self.from = from
    self.to = to
    self.kind = kind
  }
}

package struct LineageGraph: Sendable {
  package enum Node: Sendable {
    case artifact(LineageArtifact)
    /// With its record, for whoever draws it.
    case run(RunRecord)
    case commit(repository: String?)
    case external
    case model(RegisteredModel)
  }

  /// Something that nobody wrote down.
  package struct Unknown: Hashable, Sendable {
    package enum What: String, Sendable {
      /// Where the bytes came from before the project had them.
      case origin
      /// A stage made them, but no record says in which run.
      case record
      /// A record is named but not here.
      case missing
      /// A record was taken away; a tombstone says why.
      case erased
      /// A record has other bytes than its name says.
      case altered
      /// A record is of a version that this program cannot read.
      case unreadable
      /// Who made it is told by another project's record alone.
      case foreign
      /// It was imported from a repository whose records are not at hand.
      case repository
      /// The lock has a stage that read it and leaves nothing behind, but no record tells of the run.
      case reader
      /// Whether it is a version of a registered model: the registry does not say, or says what its record does not.
      case registry
    }
    package var node: LineageNodeID
    package var what: What
    /// More of the reason, where there is more to say.
    package var why: String?

    package init(_ node: LineageNodeID, _ what: What, why: String? = nil) {
      self.node = node
      self.what = what
      self.why = why
    }
  }

  /// How often a `repro` left a run's outputs as they were, and the last time.
  package struct Reuse: Hashable, Sendable {
    /// `fresh`, or `unchanged`.
    package var state: String
    package var times: Int
    package var invocation: String
    package var started: Nanoseconds
    package var actor: String
    package var commit: String?

    package init(
      state: String, times: Int, invocation: String, started: Nanoseconds, actor: String, commit: String?
    ) {
      self.state = state
      self.times = times
      self.invocation = invocation
      self.started = started
      self.actor = actor
      self.commit = commit
    }
  }

  /// What git tells of a commit.
  package struct CommitFacts: Hashable, Sendable {
    package var author: String
    package var date: Nanoseconds
    package var subject: String

    package init(author: String, date: Nanoseconds, subject: String) {
      self.author = author
      self.date = date
      self.subject = subject
    }
  }

  /// Where the walk began; several when a hash was asked for.
  package var roots: [LineageNodeID] { rootSet.elements }
  private var rootSet: OrderedSet<LineageNodeID> = []
  package private(set) var nodes: OrderedDictionary<LineageNodeID, Node> = [:]
  package private(set) var edges: OrderedSet<LineageEdge> = []
  package private(set) var unknown: OrderedSet<Unknown> = []
  /// Of runs whose results were used again.
  package private(set) var reuses: [LineageNodeID: [Reuse]] = [:]
  /// Of the commits among the nodes that are at hand, by name.
  package var commits: [String: CommitFacts] = [:]
  /// Places in `edges`.
  private var incoming: [LineageNodeID: [Int]] = [:]
  private var outgoing: [LineageNodeID: [Int]] = [:]

  package init() {}

  package mutating func addRoot(_ id: LineageNodeID) { rootSet.append(id) }

  /// A version of a registered model, with the artifact that it is.
  package mutating func add(_ model: RegisteredModel, of artifact: LineageNodeID) {
    add(model.id, .model(model))
    connect(artifact, model.id, .registered)
  }

  /// The walk began at what this model is: the model is what was asked for.
  package mutating func makeRoot(_ model: RegisteredModel) {
    let artifacts = roots
    rootSet = [model.id]
    for artifact in artifacts { add(model, of: artifact) }
  }

  /// Keeps the first description of a node.
  package mutating func add(_ id: LineageNodeID, _ node: Node) {
    if nodes[id] == nil { nodes[id] = node }
  }

  package mutating func connect(_ from: LineageNodeID, _ to: LineageNodeID, _ kind: LineageEdge.Kind) {
    let (isNew, place) = edges.append(LineageEdge(from, to, kind))
    if !isNew { return }
    incoming[to, default: []].append(place)
    outgoing[from, default: []].append(place)
  }

  package mutating func addUnknown(_ node: LineageNodeID, _ what: Unknown.What, why: String? = nil) {
    unknown.append(Unknown(node, what, why: why))
  }

  package mutating func add(_ reuses: [Reuse], of node: LineageNodeID) {
    if !reuses.isEmpty { self.reuses[node] = reuses }
  }

  /// What a version of a registered model is; any other node is itself.
  package func artifact(behind id: LineageNodeID) -> LineageNodeID {
    guard case .model = id else { return id }
    return edges(into: id).first { $0.kind == .registered }?.from ?? id
  }

  /// Takes in what another graph has, but for where it began.
  package mutating func merge(_ other: LineageGraph) {
    for (id, node) in other.nodes { add(id, node) }
    for edge in other.edges { connect(edge.from, edge.to, edge.kind) }
    unknown.formUnion(other.unknown)
    reuses.merge(other.reuses) { ours, _ in ours }
    commits.merge(other.commits) { ours, _ in ours }
  }

  /// Edges that end at `id`, in the order found.
  package func edges(into id: LineageNodeID) -> [LineageEdge] { (incoming[id] ?? []).map { edges[$0] } }
  package func edges(outOf id: LineageNodeID) -> [LineageEdge] { (outgoing[id] ?? []).map { edges[$0] } }
}
