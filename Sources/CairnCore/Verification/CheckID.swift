// The closed list of checks: their names, what each means in a sentence, and how grave it is by default.

/// How much a failed check counts.
package enum Severity: String, Sendable, CaseIterable {
  case error, warning, off
}

/// A check. Those of `verify` are a promise to whoever filters by their names; `lint` adds some of its own.
package enum CheckID: String, Sendable, CaseIterable {
  case pipelineValid = "pipeline-valid"
  case lockMissing = "lock-missing"
  case lockOrphan = "lock-orphan"
  case lockCommand = "lock-command"
  case lockDeps = "lock-deps"
  case lockOuts = "lock-outs"
  case lockParams = "lock-params"
  case lockChain = "lock-chain"
  case depContent = "dep-content"
  case depOrigin = "dep-origin"
  case outInGit = "out-in-git"
  case hashMissing = "hash-missing"
  case pathOutside = "path-outside"
  case paramsAsDep = "params-as-dep"
  case record
  case recordDirty = "record-dirty"
  case recordAccepted = "record-accepted"
  case objectMissing = "object-missing"
  case objectCorrupt = "object-corrupt"
  case outputsIdentical = "outputs-identical"
  case undeclaredRead = "undeclared-read"
  case undeclaredWrite = "undeclared-write"
  case networkUse = "network-use"
  case rerunFailed = "rerun-failed"
  case tracking
  // Of `lint` alone.
  case unusedParam = "unused-param"
  case unusedVar = "unused-var"
  case deadStage = "dead-stage"
  case unreadOutput = "unread-output"
  case undeclaredScript = "undeclared-script"

  /// The ones that `verify` may report; the others are `lint`'s own.
  package var isOfVerify: Bool {
    switch self {
    case .unusedParam, .unusedVar, .deadStage, .unreadOutput, .undeclaredScript: false
    default: true
    }
  }

  package var defaultSeverity: Severity {
    switch self {
    case .lockOrphan, .pathOutside, .paramsAsDep, .recordDirty, .recordAccepted: .warning
    default: isOfVerify ? .error : .warning
    }
  }

  /// What it says when it fails, in one sentence: the short text of its rule in reports.
  package var title: String {
    switch self {
    case .pipelineValid: "A pipeline file cannot be understood"
    case .lockMissing: "A stage has no entry in its dvc.lock"
    case .lockOrphan: "dvc.lock has an entry for a stage that is gone"
    case .lockCommand: "The command was edited after its last run"
    case .lockDeps: "The declared dependencies are not those that were locked"
    case .lockOuts: "The outputs are not those that were locked"
    case .lockParams: "A parameter is not what was locked"
    case .lockChain: "A stage was run with another version of what comes before it"
    case .depContent: "A dependency was edited after the stage ran"
    case .depOrigin: "A dependency exists on one machine only"
    case .outInGit: "An output of the cache is in git, too"
    case .hashMissing: "Something that was locked has no hash"
    case .pathOutside: "A path leads out of the repository"
    case .paramsAsDep: "A whole parameter file is a dependency"
    case .record: "The record of the run behind a lock entry is altered"
    case .recordDirty: "An undeclared file differed when the stage ran"
    case .recordAccepted: "A person accepted a result that was not trusted"
    case .objectMissing: "An object of the lock is nowhere"
    case .objectCorrupt: "An object of the lock has other bytes"
    case .outputsIdentical: "An output came out different"
    case .undeclaredRead: "A stage read what it does not declare"
    case .undeclaredWrite: "A stage wrote what it does not declare"
    case .networkUse: "A stage used the network undeclared"
    case .rerunFailed: "A command failed when it was run again"
    case .tracking: "The tracking server says something else"
    case .unusedParam: "A parameter is used by no stage"
    case .unusedVar: "A variable is used by no stage"
    case .deadStage: "A stage has no effect on the pipeline"
    case .unreadOutput: "An output is read by nobody"
    case .undeclaredScript: "A stage's script is not among its dependencies"
    }
  }

  /// Why it matters and how it is mended: the long text of its rule in reports. The whole story stands in
  /// `docs/checks.md` under the check's name.
  package var explanation: String {
    switch self {
    case .pipelineValid:
      "Nothing can be told of a pipeline that cannot be read. Mend the file at the place that is named."
    case .lockMissing:
      "The stage was never run, or dvc.lock was not committed. Run `cairn repro` and commit dvc.lock."
    case .lockOrphan:
      "The stage was renamed or removed. Take its entry out of dvc.lock, or bring the stage back."
    case .lockCommand:
      "The outputs were made by the command in dvc.lock, not by the one in dvc.yaml. Run the stage and commit dvc.lock."
    case .lockDeps:
      "A dependency was added to or taken out of the stage after it ran. Run the stage and commit dvc.lock."
    case .lockOuts:
      "An output was added or taken out after the stage ran, or was edited by hand. Run the stage and commit dvc.lock."
    case .lockParams:
      "The outputs were made with another value. Run the stage and commit dvc.lock, or put the value back."
    case .lockChain:
      "What comes before the stage was made anew, and the stage was not run with it. Run the stage and commit dvc.lock."
    case .depContent:
      "The outputs were made from another version of the file. Run the stage and commit dvc.lock."
    case .depOrigin:
      "Nobody else can run the stage. Add the file to git, track it with `cairn add`, or make it the output of a stage."
    case .outInGit:
      "Two places hold the file and will disagree. Take it out of git with `git rm --cached`."
    case .hashMissing:
      "Nothing tells which bytes were meant. Run the stage, or `cairn commit`, and commit what it writes."
    case .pathOutside:
      "The path means something else on another machine. Bring the data into the repository, or import it."
    case .paramsAsDep:
      "Each change of any of its keys runs the stage again. Name the keys that it reads under `params` instead."
    case .record:
      "What is said of the run cannot be believed. Bring the record back from a copy of the store, or run the stage."
    case .recordDirty:
      "The stage may have read a version of the file that nobody has. Declare the file, run the stage and commit."
    case .recordAccepted:
      "An input changed while the stage ran, and a person vouched for the result. Run the stage to be sure."
    case .objectMissing: "The data cannot be brought back. Push it from where it is, or run the stage."
    case .objectCorrupt: "The data is not what the run made. Take the object away and bring it back from a remote."
    case .outputsIdentical: "The pipeline does not make what is committed. See what differs, and declare what may."
    case .undeclaredRead: "A change of the file would not run the stage. Declare it as a dependency."
    case .undeclaredWrite: "The file is neither kept nor restored. Declare it as an output."
    case .networkUse: "The result hangs on what is out there. Import what is read, or declare the use."
    case .rerunFailed: "What is committed cannot be made again. Mend the command."
    case .tracking: "The tracking server does not lead to the data that was used. Send the records again."
    case .unusedParam: "No stage declares it and no template takes it. Take it out, or declare it where it is read."
    case .unusedVar: "No template takes it. Take it out."
    case .deadStage: "It makes nothing that a stage or a person could use. Give it an output, or take it out."
    case .unreadOutput: "No stage needs it. If it is a result, that is fine; else take it out."
    case .undeclaredScript: "An edit of the script does not run the stage. Declare it under `deps`."
    }
  }
}
