// Where objects are, in the cache or on a remote, and whether their bytes are those of their names. Changes neither.
import CairnCore
import CairnEngine
import CairnStore
import CairnSystem
import OrderedCollections

final class ObjectSearch: Sendable {
  struct Key: Hashable, Sendable {
    var hash: ContentHash
    var home: ObjectHome
  }

  enum Place: Sendable, Equatable {
    case cache, remote, nowhere
    /// In words.
    case unknown(String)
  }

  enum Bytes: Sendable, Equatable {
    case whole, corrupt
    case unknown(String)
  }

  /// What a folder lists, and whether the cache has its list.
  enum List: Sendable {
    case list(DirectoryManifest, isCacheCorrupt: Bool)
    /// Of a list that is nowhere, or has other bytes wherever it is.
    case none(Place, isCorrupt: Bool)
  }

  private let cache: DataCache
  private let remotes: OpenRemotes
  private let progress: TransferProgress

  /// - Parameter cache: one that mends nothing.
  init(_ cache: DataCache, _ remotes: OpenRemotes, _ progress: TransferProgress) {
    self.cache = cache
    self.remotes = remotes
    self.progress = progress
  }

  private func objects(_ name: String) throws(Diagnostic) -> RemoteObjects {
    RemoteObjects(try remotes.storage(name, command: "fetch"))
  }

  /// How messages call a remote, or what there is in its place.
  static func words(_ home: ObjectHome) -> String {
    switch home {
    case .remote(let name): "neither in the cache nor on the remote '\(name)'"
    case .noRemote: "not in the cache, and there is no default remote"
    case .here, .otherRepository, .versions: "not in the cache"
    }
  }

  // MARK: Lists

  func lists(_ keys: [Key]) -> [Key: List] {
    let lists = each(keys.count) { [self] number in list(keys[number]) }
    return Dictionary(zip(keys, lists), uniquingKeysWith: { first, _ in first })
  }

  private func list(_ key: Key) -> List {
    var isCorrupt = false
    do throws(Diagnostic) {
      if let list = try cache.store(for: key.hash).manifest(key.hash) { return .list(list, isCacheCorrupt: false) }
    } catch {
      guard error.code == .corruptObject else { return .none(.unknown(error.fullMessage), isCorrupt: false) }
      isCorrupt = true
    }
    guard case .remote(let name) = key.home else { return .none(.nowhere, isCorrupt: isCorrupt) }
    do throws(Diagnostic) {
      guard let list = try objects(name).list(of: key.hash) else { return .none(.nowhere, isCorrupt: isCorrupt) }
      return .list(list.manifest, isCacheCorrupt: isCorrupt)
    } catch {
      if error.code == .corruptOnRemote { return .none(.nowhere, isCorrupt: true) }
      return .none(.unknown(Self.words(name, error)), isCorrupt: isCorrupt)
    }
  }

  private static func words(_ name: String, _ error: Diagnostic) -> String {
    "the remote '\(name)' cannot tell: " + CheckWords.short(error.fullMessage)
  }

  // MARK: Where they are

  func places(_ keys: OrderedSet<Key>) -> [Key: Place] {
    let keys = keys.elements
    let isHere = Parallel.map(keys.count) { [self] number in isInCache(keys[number].hash) }
    var places: [Key: Place] = [:]
    var lacking: OrderedDictionary<String, [ContentHash]> = [:]
    for (key, isHere) in zip(keys, isHere) {
      places[key] = isHere ? .cache : .nowhere
      if !isHere, case .remote(let name) = key.home { lacking[name, default: []].append(key.hash) }
    }
    for (name, hashes) in lacking {
      let found: (ContentHash) -> Place
      do throws(Diagnostic) {
        let there = try objects(name).named(hashes)
        found = { there.contains($0) ? .remote : .nowhere }
      } catch {
        let words = Self.words(name, error)
        found = { _ in .unknown(words) }
      }
      for hash in hashes { places[Key(hash: hash, home: .remote(name))] = found(hash) }
    }
    return places
  }

  /// A file of that name, whatever is in it.
  private func isInCache(_ hash: ContentHash) -> Bool {
    ((try? FileStat.of(cache.store(for: hash).path(of: hash))) ?? nil)?.isFile ?? false
  }

  // MARK: Their bytes

  /// Reads and hashes each where it was found: those of the cache on all processors, the others as they come.
  func bytes(_ places: [Key: Place]) -> [Key: Bytes] {
    let keys = places.filter { $0.value == .cache || $0.value == .remote }.keys.sorted { $0.hash.text < $1.hash.text }
    progress.expect(files: keys.count, bytes: 0)
    let here = keys.filter { places[$0] == .cache }
    var found: [Key: Bytes] = [:]
    let local = Parallel.map(here.count, chunk: 1) { [self] number in cachedBytes(here[number].hash) }
    for (key, bytes) in zip(here, local) { found[key] = bytes }
    let there = keys.filter { places[$0] == .remote }
    let far = each(there.count) { [self] number in remoteBytes(there[number]) }
    for (key, bytes) in zip(there, far) { found[key] = bytes }
    return found
  }

  private func cachedBytes(_ hash: ContentHash) -> Bytes {
    defer { progress.finishedFile() }
    let path = cache.store(for: hash).path(of: hash)
    do throws(Diagnostic) {
      guard let digests = try ContentHasher.digests(ofFile: path, DigestKinds(hash.algorithm, sha256: false)) else {
        return .unknown("it was taken away while it was looked for")
      }
      if let size = try FileStat.of(path)?.size { progress.add(bytes: Int(size)) }
      return digests[hash.algorithm] == hash.digest ? .whole : .corrupt
    } catch { return .unknown(error.fullMessage) }
  }

  private func remoteBytes(_ key: Key) -> Bytes {
    defer { progress.finishedFile() }
    guard case .remote(let name) = key.home else { return .unknown("") }
    do throws(Diagnostic) {
      let isWhole = try objects(name).isWhole(key.hash) { [progress] in progress.add(bytes: $0) }
      return isWhole.map { $0 ? .whole : .corrupt } ?? .unknown("it was taken away while it was looked for")
    } catch { return .unknown(Self.words(name, error)) }
  }

  private func each<Value: Sendable>(_ count: Int, _ body: @Sendable (Int) -> Value) -> [Value] {
    // Nothing is thrown here.
    (try? Concurrently.each(count, threads: 4 * Machine.processorCount()) { number throws(Diagnostic) in body(number) }) ?? []
  }
}
