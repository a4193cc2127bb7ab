// Stages and what they need as a Mermaid flowchart. Knows nothing of the Markdown around it.
import OrderedCollections

struct MermaidGraph {
  /// More are no drawing any more. (GitHub draws up to 500 edges.)
  private static let mostNodes = 40
  private static let mostEdges = 200

  private let nodes: [PullRequestStory.Node]
  private let edges: [PullRequestStory.Edge]
  /// What is not drawn: how many stages of each state, and how many edges between stages that are.
  let leftOut: [(state: PullRequestStory.State, count: Int)]
  let edgesLeftOut: Int

  /// Of more than 40 stages those that are not sound, then the ones next to them. `nil` when there is nothing to draw:
  /// no stage, or many that are all sound.
  init?(_ story: PullRequestStory) {
    let drawn = Self.drawn(story)
    if drawn.isEmpty { return nil }
    nodes = story.nodes.filter { drawn.contains($0.name) }
    let inner = story.edges.filter { drawn.contains($0.from) && drawn.contains($0.to) }
    edges = Array(inner.prefix(Self.mostEdges))
    edgesLeftOut = inner.count - edges.count
    let rest = story.nodes.filter { !drawn.contains($0.name) }
    leftOut = PullRequestStory.State.allCases.compactMap { state in
      let count = rest.count { $0.state == state }
      return count > 0 ? (state, count) : nil
    }
  }

  private static func drawn(_ story: PullRequestStory) -> Set<String> {
    if story.nodes.count <= mostNodes { return Set(story.nodes.map(\.name)) }
    let changed = OrderedSet(story.nodes.filter { $0.state != .sound }.map(\.name))
    let beside = story.edges.flatMap { edge in
      changed.contains(edge.from) ? [edge.to] : changed.contains(edge.to) ? [edge.from] : []
    }
    return Set(changed.union(beside).prefix(mostNodes))
  }

  /// The lines of the flowchart, without a fence.
  var lines: [String] {
    let numbers = Dictionary(nodes.enumerated().map { ($0.element.name, $0.offset) }) { first, _ in first }
    var lines = ["flowchart LR"]
    for (number, node) in nodes.enumerated() {
      lines.append("  n\(number)[\"\(Self.mark(node.state)) \(Self.label(node.name))\"]:::\(node.state.rawValue)")
    }
    for edge in edges {
      if let from = numbers[edge.from], let to = numbers[edge.to] { lines.append("  n\(from) --> n\(to)") }
    }
    // With the colour of the text, for a dark page would choose a light one.
    return lines + [
      "  classDef sound fill:#e6f4ea,stroke:#2f9e44,color:#111",
      "  classDef stale fill:#ffe0cc,stroke:#d9480f,color:#111,stroke-width:2px",
      "  classDef may fill:#fff3bf,stroke:#e67700,color:#111,stroke-dasharray:4 3",
      "  classDef faulty fill:#ffe3e3,stroke:#c92a2a,color:#111,stroke-width:2px",
      "  classDef unknown fill:#e9ecef,stroke:#495057,color:#111,stroke-dasharray:2 2",
    ]
  }

  /// Colours alone are not for everybody.
  static func mark(_ state: PullRequestStory.State) -> String {
    switch state {
    case .sound: "✓"
    case .stale: "↻"
    case .may: "↻?"
    case .faulty: "✗"
    case .unknown: "?"
    }
  }

  /// Within quotes: all that is no letter or digit as Mermaid's `#NNN;`, but for what stage names are made of.
  private static func label(_ name: String) -> String {
    ReportText.replacing(ReportText.cut(ReportText.valid(name), to: 80)) { scalar in
      if scalar.properties.isAlphabetic || scalar.properties.numericType != nil { return nil }
      return "-_./: ".unicodeScalars.contains(scalar) ? nil : "#\(scalar.value);"
    }
  }
}
