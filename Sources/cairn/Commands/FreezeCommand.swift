// `cairn freeze` and `cairn unfreeze`.
internal import ArgumentParser
internal import CairnCore
internal import CairnEngine
internal import CairnSystem

struct FreezeCommand: CairnCommand {
  static let configuration = CommandConfiguration(
    commandName: "freeze", abstract: "Freeze stages or .dvc files",
    discussion: """
      A frozen stage does not look at its dependencies: repro leaves it alone until it is unfrozen.

      cairn freeze train
      """)

  @OptionGroup var global: GlobalOptions
  @Argument(help: "Stages or .dvc files to freeze", completion: Completions.stages) var targets: [String]

  func execute(_ invocation: Invocation) throws -> ExitStatus {
    try Freezing.set(targets, isFrozen: true, invocation)
  }
}

struct UnfreezeCommand: CairnCommand {
  static let configuration = CommandConfiguration(
    commandName: "unfreeze", abstract: "Unfreeze stages or .dvc files")

  @OptionGroup var global: GlobalOptions
  @Argument(help: "Stages or .dvc files to unfreeze", completion: Completions.stages) var targets: [String]

  func execute(_ invocation: Invocation) throws -> ExitStatus {
    try Freezing.set(targets, isFrozen: false, invocation)
  }
}

private enum Freezing {
  static func set(_ targets: [String], isFrozen: Bool, _ invocation: Invocation) throws -> ExitStatus {
    let project = try OpenProject.open()
    let lock: FileLock
    do {
      lock = try project.lock(waitsForEver: invocation.waitsForLock)
    } catch {
      // Each target asks for the lock in DVC, so each is told of.
      for target in targets { invocation.console.report(framed(error, target, isFrozen: isFrozen)) }
      return .no
    }
    defer { lock.release() }
    var status = ExitStatus.success
    for target in targets {
      do {
        if let line = try FreezeStage(project).set(target, isFrozen: isFrozen) { invocation.console.info(line) }
      } catch where error.isUnexpected {
        throw error
      } catch {
        invocation.console.report(framed(error, target, isFrozen: isFrozen))
        status = .no
      }
    }
    return status
  }

  private static func framed(_ error: Diagnostic, _ target: String, isFrozen: Bool) -> Diagnostic {
    error.framed("failed to \(isFrozen ? "freeze" : "unfreeze") '\(target)'")
  }
}
