// `cairn verify` from the request to the verdict: what is looked at, which checks count, and what the base had.
package import CairnCore
package import CairnEngine
package import CairnStore
import CairnSystem

package struct VerifyRequest: Sendable {
  /// Stages, as the user names them; none: all.
  package var targets: [String] = []
  /// A commit instead of the work tree.
  package var revision: String?
  /// What the state is compared with.
  package var base: String?
  /// Only faults that the base does not have count.
  package var newOnly = false
  package var requiresRecords = false
  /// `static`, `data` or `lineage`.
  package var level = VerifyLevel.static
  /// What the level `lineage` asks.
  package var lineage: LineageChecks?
  /// Objects are read and hashed; of the levels `data` and `lineage`.
  package var isDeep = false
  /// How far the reading is.
  package var progress = TransferProgress()
  /// The day on which acceptances are judged: `2026-12-31`.
  package var today: String

  package init(today: String) { self.today = today }

  /// - Throws: what is Cairn's own trouble, never a verdict: no such commit, no such stage, a setting that is wrong.
  package func run(in repository: Repository) throws(Diagnostic) -> VerifyOutcome {
    let began = WallClock.monotonic()
    let time = WallClock.now()
    let subject: VerifySubject
    switch try opened(repository) {
    case .subject(let opened): subject = opened
    case .broken(let outcome): return outcome
    }
    var policy = VerifyPolicy(subject.settings)
    let wanted = try stages(of: subject)
    let records = requiresRecords || policy.requiresRecords
    if records { policy.requireRecords() }
    let looksAtRecords = [CheckID.record, .recordDirty, .recordAccepted].contains { policy.severities[$0] != .off }
    let judge = StaticChecks(
      subject, looksAtRecords: looksAtRecords, requiresRecords: records, severities: policy.severities)
    var checks = judge.run(wanted)
    let data = try dataChecks(of: subject, policy)
    checks += data?.run(wanted) ?? []
    if level == .lineage, policy.severities[.tracking] != .off { checks += lineage?.stages(wanted) ?? [] }
    checks = policy.apply(to: checks, on: today)
    var base: VerifySubject?
    var notes: [String] = []
    if let name = self.base {
      base = try Self.base(name, repository, &notes)
      if newOnly, let base {
        var before = StaticChecks(
          base, looksAtRecords: looksAtRecords, requiresRecords: records, severities: policy.severities
        ).run()
        // Whether old data was gone before is asked only where some is.
        if checks.contains(where: { $0.status == .failed && [.objectMissing, .objectCorrupt].contains($0.id) }) {
          before += try dataChecks(of: base, policy)?.run() ?? []
        }
        checks = VerifyPolicy.accepting(policy.apply(to: before, on: today), in: checks)
      }
    }
    checks = VerifyPolicy.uncovering(checks)
    var verification = Verification(
      level: level, revision: subject.revision, base: base?.revision, checks: checks, prefix: subject.prefix)
    verification.countsNewOnly = newOnly
    verification.time = time
    verification.seconds = Double(WallClock.monotonic() - began) / 1e9
    return VerifyOutcome(
      verification: verification, subject: subject, base: base, lookedAt: judge.lookedAt, notes: notes)
  }

  /// Runs, and all behind them, in place of the pipeline.
  ///
  /// - Parameter checks: of models that led to no run.
  /// - Throws: a setting that is wrong.
  package func run(
    _ runs: [(run: RunID, model: RegisteredModel?)], beside checks: [Check] = [], in repository: Repository
  ) throws(Diagnostic) -> VerifyOutcome {
    let began = WallClock.monotonic()
    let time = WallClock.now()
    let subject = try VerifySubject.workTree(repository)
    var policy = VerifyPolicy(subject.settings)
    if requiresRecords || policy.requiresRecords { policy.requireRecords() }
    let checks = policy.apply(to: checks + runs.flatMap { lineage?.run($0.run, model: $0.model) ?? [] }, on: today)
    var verification = Verification(level: level, checks: checks, prefix: subject.prefix)
    verification.time = time
    verification.seconds = Double(WallClock.monotonic() - began) / 1e9
    return VerifyOutcome(verification: verification, subject: subject, base: nil)
  }

  /// `nil` where the level, or the team, asks for none.
  private func dataChecks(of subject: VerifySubject, _ policy: VerifyPolicy) throws(Diagnostic) -> DataChecks? {
    guard level == .data || level == .lineage,
      [CheckID.objectMissing, .objectCorrupt].contains(where: { policy.severities[$0] != .off })
    else { return nil }
    // Where the data is now, today's settings say, and only this machine's have the keys.
    let settings = subject.revision == nil ? subject.settings : try Settings.load(subject.repository)
    let reads = isDeep && policy.severities[.objectCorrupt] != .off
    return DataChecks(subject, settings, isDeep: reads, progress)
  }

  /// `nil`, with a word on it, for a commit that has no project yet, or one that cannot be understood: then all faults are
  /// new ones.
  ///
  /// - Throws: when there is no such commit.
  private static func base(
    _ name: String, _ repository: Repository, _ notes: inout [String]
  ) throws(Diagnostic) -> VerifySubject? {
    do throws(Diagnostic) {
      return try VerifySubject.commit(name, repository)
    } catch {
      if [.unknownRevision, .noGit, .git].contains(error.code) { throw error }
      notes.append("the base '\(name)' cannot be compared with, so that all faults count as new: \(error.fullMessage)")
      return nil
    }
  }

  /// The checks that need no lock.
  func lint(_ repository: Repository) throws(Diagnostic) -> VerifyOutcome {
    let subject: VerifySubject
    switch try opened(repository) {
    case .subject(let opened): subject = opened
    case .broken(let outcome): return outcome
    }
    let checks = VerifyPolicy(subject.settings).apply(to: subject.lint(try stages(of: subject)), on: today)
    let verification = Verification(revision: subject.revision, checks: checks, prefix: subject.prefix)
    return VerifyOutcome(verification: verification, subject: subject, base: nil)
  }

  private enum Opened {
    case subject(VerifySubject)
    /// Not even the settings of the project can be understood: there is a verdict all the same.
    case broken(VerifyOutcome)
  }

  private func opened(_ repository: Repository) throws(Diagnostic) -> Opened {
    do throws(Diagnostic) {
      if let revision { return .subject(try VerifySubject.commit(revision, repository)) }
      return .subject(try VerifySubject.workTree(repository))
    } catch {
      guard error.code == .configuration || error.code == .unknownContent else { throw error }
      return .broken(VerifyOutcome(verification: Self.broken(error, repository), subject: nil, base: nil))
    }
  }

  /// A stage that cannot be read is told by the check of its file.
  private func stages(of subject: VerifySubject) throws(Diagnostic) -> [StageID]? {
    if targets.isEmpty { return nil }
    var seen: Set<StageID> = []
    do throws(Diagnostic) {
      let resolution = TargetResolution(subject.project, loader: subject.loader)
      let named = try resolution.selections(targets).map(\.stage).filter { seen.insert($0).inserted }
      guard level == .lineage else { return named }
      // A chain of evidence is as good as all that it hangs on. What is no graph is told by its own check.
      return (try? resolution.withAncestry(named)) ?? named
    } catch {
      if !subject.project.failures.isEmpty { return [] }
      throw error
    }
  }

  /// `.dvc/config` cannot be understood, or not be read: a file of the user's, so that there is a verdict.
  private static func broken(_ error: Diagnostic, _ repository: Repository) -> Verification {
    let paths = PathResolver(root: repository.root, workTree: nil)
    let at = CheckPlace(error.mark, orFile: ".dvc/config", paths)
    return Verification(checks: [
      Check(
        .pipelineValid, error.code == .unknownContent ? .unknown : .failed, path: at.file,
        message: CheckWords.short(error.fullMessage),
        hint: error.hint ?? "mend \(at.file)", evidence: error.fullMessage, at: at)
    ])
  }
}

/// What `verify` found, with what it was found in.
package struct VerifyOutcome: Sendable {
  package var verification: Verification
  /// `nil` where not even the settings could be understood.
  package var subject: VerifySubject?
  package var base: VerifySubject?
  /// What it was made from; `nil` where that is not known.
  package var lookedAt: LookedAt?
  /// What is to be said beside the verdict.
  package var notes: [String] = []
}

extension VerifyPolicy {
  /// Severities set, what is off taken out, what the team accepts marked.
  func apply(to checks: [Check], on today: String) -> [Check] {
    if severities.isEmpty, accepted.isEmpty { return checks }
    return checks.compactMap { check in
      var check = check
      if let severity = severities[check.id] {
        // Nothing can be told of what cannot be read, whatever a team thinks of it.
        if check.id == .pipelineValid, check.status == .failed, severity != .error {
          check.status = .unknown
          return check
        }
        if severity == .off { return nil }
        // A frozen stage's warning is no error for being one elsewhere.
        if check.severity == check.id.defaultSeverity { check.severity = severity }
      }
      guard check.status == .failed else { return check }
      let fitting = accepted.filter { entry in
        entry.check == check.id && (entry.stage == nil || entry.stage == check.stage)
          && (entry.path == nil || entry.path == check.path)
      }
      if let entry = fitting.first(where: { $0.until >= today }) {
        // A team may live with a fault, and not with what nobody has looked at.
        check.status = check.id == .pipelineValid ? .unknown : .accepted
        check.acceptance = Check.Acceptance(reason: entry.reason, until: entry.until)
      } else if let entry = fitting.max(by: { $0.until < $1.until }) {
        check.message += " (it was accepted until \(entry.until): \(entry.reason))"
      }
      return check
    }
  }

  /// What failed in the same way before is accepted.
  static func accepting(_ before: [Check], in checks: [Check]) -> [Check] {
    struct Key: Hashable {
      var id: CheckID
      var texts: [String?]
      /// Its words hang on where it is looked at: a file that was never added is merely not in a commit.
      static func isTold(_ id: CheckID) -> Bool { [.depOrigin, .lockMissing, .outInGit].contains(id) }
      init(_ check: Check) {
        id = check.id
        texts = [check.stage, check.path, check.was, check.now, check.evidence]
          + [Self.isTold(check.id) ? nil : check.message]
      }
    }
    let old = Set(before.filter { $0.status == .failed || $0.status == .accepted }.map(Key.init))
    return checks.map { check in
      guard check.status == .failed, old.contains(Key(check)) else { return check }
      var check = check
      check.status = check.id == .pipelineValid ? .unknown : .accepted
      return check
    }
  }

  /// What was skipped behind a failure that the team lets pass, or that the base has too, was not looked at.
  static func uncovering(_ checks: [Check]) -> [Check] {
    if !checks.contains(where: { $0.standIn != nil }) { return checks }
    struct Key: Hashable {
      var id: CheckID
      var stage: String?
    }
    let faults = Set(checks.filter(\.isFault).map { Key(id: $0.id, stage: $0.stage) })
    return checks.map { check in
      guard let id = check.standIn, !faults.contains(Key(id: id, stage: check.stage)) else { return check }
      var check = check
      check.status = .unknown
      return check
    }
  }
}
