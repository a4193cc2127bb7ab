// What `meta.cairn` of a stage says. Reading it: `StageSettings+Parse.swift`.

package struct StageSettings: Sendable, Hashable {
  /// Units of each named resource that the stage holds while it runs; `gpu` and `mem_gb` are found, others configured.
  package var resources: [String: Double] = [:]
  package var mutex: [String] = []
  /// Names of variables whose values are recorded and keyed: another value makes the stage stale.
  package var env: [String] = []
  /// Recorded, never a reason to run.
  package var envRecord: [String] = []
  /// Set for the command, recorded and keyed.
  package var envSet: [String: String] = [:]
  /// Keyed by an HMAC, never written.
  package var envSecret: [String] = []
  package var retries = 0
  package var timeoutSeconds: Double?
  package var nondeterministic: [String] = []
  /// Dependencies (as declared) that the command itself changes.
  package var rewrites: [String] = []
  /// What each dependency (as declared) is read for: `training`, `validation`.
  package var contexts: [String: String] = [:]

  package init() {}

  /// Its environment is part of what makes it stale.
  package var isKeyedByEnvironment: Bool { !env.isEmpty || !envSet.isEmpty || !envSecret.isEmpty }
}
