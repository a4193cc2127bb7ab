// How a process ends. DVC's commands have DVC's codes; Cairn's own answer yes, no or "cannot tell".
internal import CairnCore

struct ExitStatus: RawRepresentable, Hashable, Sendable {
  let rawValue: Int32
  init(rawValue: Int32) { self.rawValue = rawValue }
  init(_ rawValue: Int32) { self.rawValue = rawValue }

  static let success = ExitStatus(0)
  /// It looked, and the answer is no. Also what some of DVC's commands end with (`config`, `status -q`).
  static let no = ExitStatus(1)
  /// It could not tell.
  static let unknown = ExitStatus(2)
  /// Standard output was closed by whoever reads it: 128 + SIGPIPE.
  static let brokenPipe = ExitStatus(141)
  /// A setting is wrong.
  static let configuration = ExitStatus(251)
  static let interrupted = ExitStatus(252)
  static let notARepository = ExitStatus(253)
  /// The command line is wrong, or asks for what this version lacks.
  static let usage = ExitStatus(254)
  static let failure = ExitStatus(255)

  /// The code that an error ends the process with.
  ///
  /// - Parameter isOwn: of a command that DVC does not have.
  init(_ error: any Error, isOwn: Bool = false) {
    let code = (error as? Diagnostic)?.exitCode
    let status = code.map { ExitStatus($0) } ?? .failure
    self = isOwn && [.configuration, .notARepository].contains(status) ? .failure : status
  }
}
