// What a pull request changes beside the checks: stages that would run, parameters, metrics, the graph. Knows nothing
// of how it was found nor of how it is shown.

package struct PullRequestStory: Sendable {
  /// A stage that is not what `repro` would leave.
  package struct Rerun: Sendable {
    package var stage: String
    /// In a few words; what `why` says.
    package var reason: String
    /// False where what comes before it may turn out the same.
    package var isSure: Bool

    package init(_ stage: String, because reason: String, isSure: Bool) {
      self.stage = stage
      self.reason = reason
      self.isSure = isSure
    }
  }

  /// One key of a parameter or metrics file, its values as they are to be shown.
  package struct ValueRow: Sendable {
    package var file: String
    /// Empty for a file that holds nothing but a value.
    package var key: String
    /// `nil` where there is none.
    package var base: String?
    package var head: String?
    /// The difference of numbers.
    package var change: String?

    package init(file: String, key: String, base: String?, head: String?, change: String? = nil) {
      self.file = file
      self.key = key
      self.base = base
      self.head = head
      self.change = change
    }
  }

  package enum State: String, Sendable, CaseIterable {
    /// It is what its lock says.
    case sound
    /// It would run.
    case stale
    /// It would run unless what comes before it turns out the same.
    case may
    /// Nothing would run, and it is not as it should be: an input that only one machine has, say.
    case faulty
    case unknown
  }

  package struct Node: Sendable {
    package var name: String
    package var state: State

    package init(_ name: String, _ state: State) {
      self.name = name
      self.state = state
    }
  }

  package struct Edge: Sendable {
    /// Names of nodes: the one that makes, the one that needs.
    package var from: String
    package var to: String

    package init(from: String, to: String) {
      self.from = from
      self.to = to
    }
  }

  /// The base as it was named: `main`. `nil` when there is nothing to compare with.
  package var base: String?
  package var wouldRun: [Rerun] = []
  package var params: [ValueRow] = []
  package var metrics: [ValueRow] = []
  /// In the order of the pipeline.
  package var nodes: [Node] = []
  package var edges: [Edge] = []
  /// What could not be compared, and why, a sentence each.
  package var unknowns: [String] = []

  package init(base: String? = nil) { self.base = base }
}
