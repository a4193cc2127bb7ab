// Keeps what is known of a folder that many stages depend on: without it their number would be multiplied by that of
// its files. Knows nothing of how either is found.
import CairnCore
import Synchronization

final class FolderPlans: Sendable {
  private let plans = Mutex<[ContentRequest: FolderPlan]>([:])

  /// Two threads may make the same plan at once; then one of them counts.
  func plan(_ place: ContentRequest, _ make: () -> FolderPlan) -> FolderPlan {
    if let known = plans.withLock({ $0[place] }) { return known }
    let made = make()
    return plans.withLock { plans in
      if let known = plans[place] { return known }
      plans[place] = made
      return made
    }
  }
}

/// The contents of folders by their plans, all read.
final class FolderContents: Sendable {
  enum Content: Sendable {
    case entries([DirectoryManifest.Entry], Digest16)
    /// A file of git's is not there, by its name in the folder.
    case deleted(String, RepoPath)
    /// On the disk a folder stands in its place.
    case folder(String, RepoPath)
    /// In words that follow "the content of NAME ".
    case unknown(String, why: String)
  }

  private let contents = Mutex<[ContentRequest: Content]>([:])

  func content(_ place: ContentRequest, _ make: () -> Content) -> Content {
    if let known = contents.withLock({ $0[place] }) { return known }
    let made = make()
    contents.withLock { $0[place] = made }
    return made
  }

  private let lineEnds = Mutex<[ContentRequest: [LineEnds: Digest16]]>([:])

  /// What the folder's hash would be with each kind of line ends.
  func lineEnds(_ place: ContentRequest, _ make: () -> [LineEnds: Digest16]) -> [LineEnds: Digest16] {
    if let known = lineEnds.withLock({ $0[place] }) { return known }
    let made = make()
    lineEnds.withLock { $0[place] = made }
    return made
  }
}
