// The producer index as a file, and its way back from the records.
package import CairnCore
import CairnSystem
import Glibc
import Synchronization

extension ProducerIndex {
  /// Magic and version; padded to one entry's size so that every entry stands at a multiple of it.
  private static let header: [UInt8] = {
    let magic = Array("cairn.producers/3\n".utf8)
    return magic + [UInt8](repeating: 0, count: ProducerEntry.size - magic.count)
  }()

  /// Reads the records that the index has not seen yet, and forgets those that the store has no more, unless a tombstone
  /// says that they were. Costs a listing of the store, and a reading of what is new.
  package func catchUp(with store: RecordStore) throws(Diagnostic) {
    var known = reading { state in Set(state.numbers.keys.map(\.digest)).union(state.others) }
    let documents = try store.documents()
    let gone = reading { state in Set(state.numbers.keys.map(\.digest)) }.subtracting(documents)
    for digest in gone where try store.tombstone(of: digest) == nil {
      try forget()
      known = []
      break
    }
    for digest in documents where !known.contains(digest) {
      // An altered or unreadable document is for `runs check` to tell; here it is as if it were not there.
      if let record = (try? store.record(RunID(digest))) ?? nil {
        switch store.isForeign(RunID(digest), record) {
        case false?: add(RunID(digest), record)
        case true?: add(foreign: RunID(digest), record)
        // It is looked at again the next time.
        case nil: break
        }
      } else {
        note(document: digest)
      }
    }
  }

  /// Reads what it lacks, where the newest invocations are not among what it knows: the index was deleted, or others
  /// have written into a shared store. Costs a listing of the heads when there is nothing to do.
  package func refresh(with store: RecordStore) {
    let heads = store.heads()
    let hasFolder = Files.isDirectory(store.folder)
    let isBehind = reading { state in
      // What was reconstructed has no invocation.
      (hasFolder && state.runs.isEmpty && state.others.isEmpty) || heads.contains { !state.others.contains($0) }
    }
    // An index that cannot be brought up to the store is a shorter one, as everywhere here.
    guard isBehind else { return }
    // A question makes no folder: whoever writes the first record does, with the files that hide it from git.
    if !hasFolder { state.withLock { $0.isKept = false } }
    try? catchUp(with: store)
    state.withLock { $0.isKept = true }
  }

  /// Notes a document that is no run's record, so that it is not read again.
  package func note(document: Digest32) {
    append([.other(document)]) { $0.others.insert(document) }
  }

  /// Forgets everything and reads all records anew.
  package func rebuild(from store: RecordStore) throws(Diagnostic) {
    try forget()
    try catchUp(with: store)
  }

  private func forget() throws(Diagnostic) {
    try Files.remove(path)
    state.withLock { state in
      if state.descriptor >= 0 { close(state.descriptor) }
      state = State(isLoaded: true, isKept: state.isKept)
    }
  }

  func reading<Answer>(_ body: (borrowing State) -> Answer) -> Answer {
    state.withLock { state in
      Self.load(path, &state)
      return body(state)
    }
  }

  /// Appends to the file and to what is in memory.
  func append(_ entries: [ProducerEntry], remember: (inout State) -> Void) {
    state.withLock { state in
      Self.load(path, &state)
      if state.descriptor < 0, state.isKept { state.descriptor = Self.openForAppending(path) }
      // One write for all, so that two processes' entries never mix; a torn one is found by its checksum.
      let bytes = entries.flatMap(\.bytes)
      if state.descriptor >= 0 { _ = write(state.descriptor, bytes, bytes.count) }
      remember(&state)
    }
  }

  private static func openForAppending(_ path: String) -> Int32 {
    let descriptor = open(path, O_WRONLY | O_APPEND | O_CLOEXEC)
    if descriptor >= 0 { return descriptor }
    if let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) { try? Files.makeDirectories(String(path[..<slash])) }
    let temporary = AtomicFile.temporaryName(beside: path)
    guard (try? Files.write(header, to: temporary)) != nil else {
      unlink(temporary)
      return -1
    }
    // link() fails when another process was first; then its file is the one.
    link(temporary, path)
    unlink(temporary)
    return open(path, O_WRONLY | O_APPEND | O_CLOEXEC)
  }

  private static func load(_ path: String, _ state: inout State) {
    if state.isLoaded { return }
    state.isLoaded = true
    guard let bytes = (try? Files.read(plain: path, limit: .max)) ?? nil else { return }
    if !parse(bytes, into: &state) {
      state = State(isLoaded: true)
      _ = try? Files.remove(path)
    }
  }

  /// False for a file that is damaged or of another version.
  private static func parse(_ bytes: [UInt8], into state: inout State) -> Bool {
    let size = ProducerEntry.size
    guard bytes.count >= size, bytes[..<size].elementsEqual(header), bytes.count.isMultiple(of: size) else { return false }
    var run: Run?
    var outputs: [Digest16] = []
    func finish(_ state: inout State) {
      if let run { insert(run, outputs, into: &state) }
      outputs.removeAll(keepingCapacity: true)
    }
    let isWhole = bytes.withUnsafeBytes { raw in
      func word(_ offset: Int) -> UInt64 {
        UInt64(littleEndian: raw.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
      }
      func digest(_ offset: Int) -> Digest16 {
        Digest16(high: word(offset).byteSwapped, low: word(offset + 8).byteSwapped)
      }
      for start in stride(from: size, to: raw.count, by: size) {
        let sum = UInt32(littleEndian: raw.loadUnaligned(fromByteOffset: start + 4, as: UInt32.self))
        guard sum == ProducerEntry.checksum(raw[start..<(start + size)]) else { return false }
        let document = Digest32(high: digest(start + 32), low: digest(start + 48))
        switch raw[start] {
        case 1:
          finish(&state)
          let number = Int(raw[start + 1])
          guard number < RunResult.allCases.count else { return false }
          let source = Digest32(high: digest(start + 96), low: digest(start + 112))
          run = Run(
            id: RunID(document), result: RunResult.allCases[number], started: Int64(bitPattern: word(start + 24)),
            duration: Int64(bitPattern: word(start + 8)), peakMemory: word(start + 16), stage: digest(start + 64),
            work: digest(start + 80), source: source == .zero ? nil : RunID(source),
            isReconstructed: raw[start + 2] == 1)
        case 2: outputs.append(digest(start + 64))
        case 3: state.others.insert(document)
        default: return false
        }
      }
      return true
    }
    finish(&state)
    return isWhole
  }
}

extension Digest32 {
  fileprivate static let zero = Digest32(high: Digest16(high: 0, low: 0), low: Digest16(high: 0, low: 0))
}
