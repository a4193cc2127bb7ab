// Where each path stands in a long list of a lock entry. Knows nothing of what is locked.
internal import Synchronization

/// Made when first asked: a stage with 100,000 dependencies asks for each of them, and few entries are so long.
///
/// MUST be another one whenever the list is. All are equal: they say nothing that the list does not.
final class LockedPlaces: Hashable, Sendable {
  private let places = Mutex<[RepoPath: Int]?>(nil)

  /// `nil` for a list that is searched as fast.
  init?(for files: [LockedFile]) { if files.count < 32 { return nil } }

  func last(_ path: String, in files: [LockedFile]) -> LockedFile? {
    let place = places.withLock { places in
      if places == nil {
        places = Dictionary(
          files.enumerated().map { (RepoPath(unchecked: $1.path), $0) }, uniquingKeysWith: { $1 })
      }
      return places?[RepoPath(unchecked: path)]
    }
    return place.map { files[$0] }
  }

  static func == (a: LockedPlaces, b: LockedPlaces) -> Bool { true }
  func hash(into hasher: inout Hasher) {}
}
