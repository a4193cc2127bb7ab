// Named places at which a test may end the process, to prove that a crash there loses nothing. Debug builds only.
#if DEBUG
  import Glibc
#endif

package enum FaultPoint: String, Sendable, CaseIterable {
  case startJournalled, commandEnded, objectsStored, journalWritten, journalSynced, recordsWritten, lockWritten
  case beforeJournalRemoved
  // While the journal of a dead process is written out.
  case replayWritten, replayed

  /// Ends the process as `kill -9` would when `CAIRN_FAULT_POINT` names this place; nothing in release builds.
  @inline(__always)
  package static func reach(_ point: FaultPoint) {
    #if DEBUG
      if let name = getenv("CAIRN_FAULT_POINT"), String(cString: name) == point.rawValue { kill(getpid(), SIGKILL) }
    #endif
  }
}
