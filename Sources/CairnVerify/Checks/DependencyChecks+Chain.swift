// Whether a stage ran with what the one before it made, or with the dataset as it is: lock entries against one another.
import CairnCore
import CairnEngine
import CairnStore

extension DependencyChecks {
  /// Whether the stage ran with what comes before it as that is locked now; `nil` where another check tells why not.
  func chain(_ item: Item, _ place: OutputPlace, _ rest: String) -> Check? {
    guard let locked = item.locked, locked.hashText != nil else { return nil }
    guard let made = places.locked(place), let madeText = made.hashText else { return nil }
    let maker = subject.project.pipeline[place.stage].address.text()
    guard let hash = locked.contentHash, let madeHash = made.contentHash else {
      // An md5 that is none is told by itself.
      if [locked, made].contains(where: { $0.hashName == "md5" && $0.contentHash == nil }) { return nil }
      // Of other kinds of hashes (an etag) the texts are all there is.
      if locked.hashName == made.hashName, rest.isEmpty {
        return locked.hashText == madeText ? passed(.lockChain, item) : broken(item, maker, locked, madeText)
      }
      return skipped(item, "its kind of hash cannot be compared")
    }
    if rest.isEmpty { return compare(item, maker, locked, hash, madeHash) }
    guard madeHash.isDirectory else { return broken(item, maker, locked, madeText) }
    guard let manifest = made.listedManifest ?? subject.manifest(madeHash) else {
      return skipped(item, "the list of \(places.output(place).declared) is not here")
    }
    if let entry = manifest.entry(at: rest) {
      return compare(item, maker, locked, hash, ContentHash(madeHash.algorithm, entry.md5))
    }
    let below = manifest.entries(below: rest)
    if below.isEmpty {
      return failed(
        .lockChain, item, "\(maker) no longer makes \(item.dependency.declared)", was: "md5 " + hash.text,
        now: "nothing")
    }
    let entries = below.map { entry in
      DirectoryManifest.Entry(path: String(entry.path.dropFirst(rest.count + 1)), md5: entry.md5)
    }
    return compare(
      item, maker, locked, hash, ContentHash(madeHash.algorithm, Self.digest(entries), isDirectory: true))
  }

  /// What a dataset's lock says against what the stage ran with.
  func dataset(_ item: Item) -> [Check] {
    guard case .url(let url) = item.dependency.location else { return [origin(item)] }
    switch datasets.content(of: url) {
    case .unknown(let fault):
      return [failed(.depOrigin, item, fault.fullMessage, hint: fault.hint ?? "declare it under datasets")]
    case .dataset(.unlocked(let fault)):
      return [origin(item), failed(.lockChain, item, fault.fullMessage, hint: fault.hint)]
    case .dataset(.locked(let now)):
      guard let was = item.locked?.dataset else { return [origin(item)] }
      if Value.map(was).isEqualInPython(to: .map(now)) { return [origin(item), passed(.lockChain, item)] }
      return [
        origin(item),
        failed(
          .lockChain, item, "\(item.dependency.declared) was updated, and the stage was not run with it",
          was: CheckWords.text(.map(was)), now: CheckWords.text(.map(now)),
          evidence: CheckWords.whole(.map(was)) + "\n" + CheckWords.whole(.map(now))),
      ]
    case .file, .directory, .missing: return [unknown(.lockChain, item, "what it stands for is not known")]
    }
  }

  private func compare(
    _ item: Item, _ maker: String, _ locked: LockedFile, _ hash: ContentHash, _ made: ContentHash
  ) -> Check {
    if hash.digest == made.digest, hash.isDirectory == made.isDirectory { return passed(.lockChain, item) }
    // Hashes of DVC 2 and of DVC 3 differ for the same text where its lines end as on Windows.
    if hash.algorithm != made.algorithm {
      return self.maker.unknown(
        .lockChain, path: path(item),
        "one of the two hashes is DVC 2's, and the data would have to be read to compare them",
        hint: "run `cairn repro \(self.maker.quoted)`", at: item.dependency.mark)
    }
    return broken(item, maker, locked, made.text)
  }

  private func broken(_ item: Item, _ maker: String, _ locked: LockedFile, _ made: String) -> Check {
    let name = item.dependency.declared
    return failed(
      .lockChain, item,
      maker.hasSuffix(".dvc")
        ? "\(maker) has another version of \(name) than the stage ran with"
        : "\(maker) made \(name) anew, and the stage was not run with it",
      was: locked.hashText.map { "md5 " + $0 }, now: "md5 " + made)
  }
}
