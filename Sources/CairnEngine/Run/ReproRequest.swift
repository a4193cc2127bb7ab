// What `cairn repro` was asked for, as a value.
package import CairnCore

package struct ReproRequest: Sendable {
  package var targets: [String] = []
  package var recursive = false
  package var glob = false
  /// `-p`: the whole pipelines of the targets.
  package var pipeline = false
  /// `-P`.
  package var allPipelines = false
  package var downstream = false
  package var singleItem = false
  package var force = false
  package var forceDownstream = false
  /// What is up to date runs too, or is taken from the run-cache.
  package var runsFresh = false
  package var dry = false
  package var usesRunCache = true
  package var commits = true
  package var pulls = false
  package var allowsMissing = false
  package var policy = FailurePolicy.stop
  /// After a failure, running stages are stopped too.
  package var failFast = false
  package var jobs = 1
  /// `-i`: asked before each stage, on the main thread's terminal; false ends the run.
  package var confirm: (@Sendable (String) -> Bool)?
  /// Seconds between SIGTERM and SIGKILL.
  package var grace = 10.0
  /// Bytes of a log's beginning and of its end that are kept.
  package var logLimit = 32 << 20
  /// `strict` of the settings: what was taken out of a declaration makes the stage stale.
  package var isStrict = false
  /// The words of the command line, for locks and the record of the invocation.
  package var arguments: [String] = []

  /// A stage may be looked at before it is its turn: nobody is asked about it, and nothing is fetched for it.
  package var mayPrepare: Bool { jobs > 1 && !dry && !pulls && !singleItem && confirm == nil }

  package init() {}
}
