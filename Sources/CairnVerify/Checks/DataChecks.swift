// The data level: every object that locks and .dvc files name is in the cache or on its remote, and, looked at deeply, has
// the bytes of its name. Changes neither of them.
import CairnCore
import CairnEngine
import CairnStore
import OrderedCollections

struct DataChecks {
  private let subject: VerifySubject
  private let settings: Settings
  private let isDeep: Bool
  private let remotes: OpenRemotes
  private let search: ObjectSearch

  /// - Parameters:
  ///   - settings: where the data is now: those of the work tree, also for a commit.
  ///   - isDeep: whether objects are read and hashed.
  init(_ subject: VerifySubject, _ settings: Settings, isDeep: Bool, _ progress: TransferProgress) {
    self.subject = subject
    self.settings = settings
    self.isDeep = isDeep
    remotes = OpenRemotes(settings, subject.repository)
    search = ObjectSearch(DataCache(folder: settings.cacheFolder, mends: false), remotes, progress)
  }

  /// - Parameter wanted: stages whose data is wanted; `nil`: all.
  func run(_ wanted: [StageID]? = nil) -> [Check] {
    let ids = wanted ?? subject.project.pipeline.ids
    if (try? subject.project.graph()) == nil {
      return ids.compactMap { id in
        let stage = subject.project.pipeline[id]
        return stage.kind == .pipeline ? CheckMaker(stage, subject.paths).unknown(.objectMissing, Check.unlooked) : nil
      }
    }
    let items = DataItem.all(of: ids, in: subject, remotes)
    let folders = OrderedSet(items.filter { $0.hash.isDirectory && $0.listed == nil }.map(Self.key))
    let lists = search.lists(folders.elements)
    var keys: OrderedSet<ObjectSearch.Key> = []
    for item in items { keys.append(contentsOf: Self.parts(of: item, lists).map(\.key)) }
    let places = search.places(keys)
    let bytes = isDeep ? search.bytes(places) : [:]
    let isAnyMissing = places.values.contains(.nowhere)
    let erased = isAnyMissing ? ErasedData(subject.repository, cacheFolder: settings.cacheFolder) : ErasedData()
    return items.flatMap { check($0, lists, places, bytes, erased) }
  }

  private static func key(_ item: DataItem) -> ObjectSearch.Key { ObjectSearch.Key(hash: item.hash, home: item.home) }

  private struct Part {
    var key: ObjectSearch.Key
    /// From the project's root.
    var path: String
  }

  /// The object of an output and, as far as they are known, those that it lists.
  private static func parts(of item: DataItem, _ lists: [ObjectSearch.Key: ObjectSearch.List]) -> [Part] {
    let own = key(item)
    var parts = item.listed == nil ? [Part(key: own, path: item.path)] : []
    let manifest: DirectoryManifest? =
      if let listed = item.listed { listed } else if case .list(let list, _)? = lists[own] { list } else { nil }
    for entry in manifest?.entries ?? [] {
      let hash = ContentHash(item.hash.algorithm, entry.md5)
      parts.append(Part(key: ObjectSearch.Key(hash: hash, home: item.home), path: item.path + "/" + entry.path))
    }
    return parts
  }

  // MARK: Judging

  private func check(
    _ item: DataItem, _ lists: [ObjectSearch.Key: ObjectSearch.List], _ places: [ObjectSearch.Key: ObjectSearch.Place],
    _ bytes: [ObjectSearch.Key: ObjectSearch.Bytes], _ erased: ErasedData
  ) -> [Check] {
    let parts = Self.parts(of: item, lists)
    var missing: [Part] = []
    var gone: [Part] = []
    var corrupt: [Part] = []
    var why: String?
    var whyBytes: String?
    let list = lists[Self.key(item)]
    for part in parts {
      switch places[part.key] ?? .nowhere {
      case .cache, .remote: break
      case .nowhere: if erased.contains(part.key.hash) { gone.append(part) } else { missing.append(part) }
      case .unknown(let words): why = why ?? words
      }
      switch bytes[part.key] {
      case .corrupt?: corrupt.append(part)
      case .unknown(let words)?: whyBytes = whyBytes ?? words
      case .whole?, nil: break
      }
    }
    // A list is read at any rate; what is wrong with it hides what it lists.
    switch list {
    case .list(_, let isCacheCorrupt)?:
      if isCacheCorrupt, !corrupt.contains(where: { $0.key == parts[0].key }) { corrupt.insert(parts[0], at: 0) }
    case .none(let place, let isCorrupt)?:
      if isCorrupt {
        missing.removeAll { $0.key == parts[0].key }
        if corrupt.isEmpty { corrupt = [parts[0]] }
      }
      if case .unknown(let words) = place { why = why ?? words }
    case nil: break
    }
    var checks: [Check] = []
    if !missing.isEmpty || !gone.isEmpty || why != nil || corrupt.isEmpty || isWhollyKnown(list) {
      checks.append(whereabouts(item, parts, missing: missing, gone: gone, unknown: why))
    }
    let isSomethingThere = parts.contains { places[$0.key] == .cache || places[$0.key] == .remote }
    if !corrupt.isEmpty {
      checks.append(corruption(item, parts, corrupt, places))
    } else if isDeep, let whyBytes {
      checks.append(
        item.maker.unknown(
          .objectCorrupt, path: item.path, "the bytes of \(item.output.declared) could not be read: \(whyBytes)",
          at: item.output.mark))
    } else if isDeep, isSomethingThere {
      checks.append(item.maker.passed(.objectCorrupt, path: item.path, at: item.output.mark))
    }
    return checks
  }

  private func isWhollyKnown(_ list: ObjectSearch.List?) -> Bool {
    switch list {
    case .list?, nil: true
    case .none?: false
    }
  }

  private func whereabouts(
    _ item: DataItem, _ parts: [Part], missing: [Part], gone: [Part], unknown: String?
  ) -> Check {
    let (maker, mark) = (item.maker, item.output.mark)
    if missing.isEmpty, gone.isEmpty {
      guard let unknown else { return maker.passed(.objectMissing, path: item.path, at: mark) }
      return maker.unknown(
        .objectMissing, path: item.path, "it cannot be known where the data of \(item.output.declared) is: \(unknown)",
        at: mark)
    }
    if missing.isEmpty {
      return Check(
        .objectMissing, .erased, stage: maker.address, path: item.path,
        message: words(item, parts, gone) + " erased on purpose", at: maker.place(mark))
    }
    let sentence = words(item, parts, missing) + " " + ObjectSearch.words(item.home)
    switch item.home {
    case .here:
      return maker.skipped(.objectMissing, path: item.path, sentence + ": it is not pushed, on purpose", at: mark)
    case .otherRepository:
      return maker.unknown(
        .objectMissing, path: item.path, sentence + ": the repository that it was imported from was not asked",
        hint: "`cairn fetch \(maker.quoted)` brings it", at: mark)
    case .versions:
      return maker.unknown(
        .objectMissing, path: item.path, sentence + ": versions of files on a remote are not asked for in this version",
        hint: "`dvc fetch` brings them", at: mark)
    case .remote, .noRemote:
      let evidence = missing.map(\.key.hash.text).joined(separator: " ")
      return maker.failed(
        .objectMissing, path: item.path, sentence,
        hint: "`cairn push \(maker.quoted)` where it still is, or " + remade(maker), evidence: evidence, at: mark)
    }
  }

  /// `d is`, `the list of d is`, `2 of 12 files of d (d/a and d/b) are`.
  private func words(
    _ item: DataItem, _ parts: [Part], _ some: [Part], verb: (one: String, many: String) = ("is", "are")
  ) -> String {
    let name = item.output.declared
    guard item.hash.isDirectory else { return "\(name) \(verb.one)" }
    if item.listed == nil, let first = some.first, first.key.hash == item.hash {
      return some.count == parts.count ? "\(name) \(verb.one)" : "the list of \(name) \(verb.one)"
    }
    let count = parts.count - (item.listed == nil ? 1 : 0)
    return "\(some.count) of \(count) file\(count == 1 ? "" : "s") of \(name) "
      + "(\(CheckWords.list(some.map(\.path)))) \(some.count == 1 ? verb.one : verb.many)"
  }

  private func remade(_ maker: CheckMaker) -> String {
    maker.stage.kind == .tracked ? "add the data anew" : maker.rerun
  }

  private func corruption(
    _ item: DataItem, _ parts: [Part], _ corrupt: [Part], _ places: [ObjectSearch.Key: ObjectSearch.Place]
  ) -> Check {
    let inCache = corrupt.filter { places[$0.key] == .cache }
    let place =
      inCache.isEmpty
      ? "on its remote" : inCache.count == corrupt.count ? "in the cache" : "in the cache and on its remote"
    let what = words(item, parts, corrupt, verb: ("has", "have"))
    return item.maker.failed(
      .objectCorrupt, path: item.path, "\(what) other bytes \(place) than the lock says",
      now: "in " + CheckWords.list(corrupt.map { RemoteObjects.key(of: $0.key.hash) }),
      hint: inCache.isEmpty
        ? "remove it there, and `cairn push \(item.maker.quoted)` from a machine that has it"
        : "remove it from the cache, and `cairn fetch \(item.maker.quoted)` brings it, or " + remade(item.maker),
      evidence: corrupt.map(\.key.hash.text).joined(separator: " "), at: item.output.mark)
  }
}
