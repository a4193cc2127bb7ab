// One entry of the producer index, as bytes.
import CairnCore

/// 128 bytes, numbers little-endian, digests as they are:
/// 0 kind (1 run, 2 output of the run before, 3 another document) · 1 result (its place in `RunResult`) ·
/// 2 whether it was reconstructed ·
/// 4 checksum (FNV-1a of the entry with these four as zero) · 8 duration in ns · 16 peak memory · 24 started in ns ·
/// 32 the document's name · 64 stage key (of an output: its key; zero: another repository's stage) · 80 work key · 96 source (zero: none).
struct ProducerEntry {
  static let size = 128
  private(set) var bytes: [UInt8]

  private init(kind: UInt8, document: Digest32) {
    bytes = [UInt8](repeating: 0, count: Self.size)
    bytes[0] = kind
    put(document.high, at: 32)
    put(document.low, at: 48)
  }

  static func run(_ run: ProducerIndex.Run) -> ProducerEntry {
    var entry = ProducerEntry(kind: 1, document: run.id.digest)
    entry.bytes[1] = UInt8(RunResult.allCases.firstIndex(of: run.result) ?? 0)
    entry.bytes[2] = run.isReconstructed ? 1 : 0
    entry.put(UInt64(bitPattern: run.duration), at: 8)
    entry.put(run.peakMemory, at: 16)
    entry.put(UInt64(bitPattern: run.started), at: 24)
    entry.put(run.stage, at: 64)
    entry.put(run.work, at: 80)
    if let source = run.source {
      entry.put(source.digest.high, at: 96)
      entry.put(source.digest.low, at: 112)
    }
    return entry.sealed()
  }

  static func output(_ key: Digest16, of run: RunID) -> ProducerEntry {
    var entry = ProducerEntry(kind: 2, document: run.digest)
    entry.put(key, at: 64)
    return entry.sealed()
  }

  static func other(_ document: Digest32) -> ProducerEntry { ProducerEntry(kind: 3, document: document).sealed() }

  private mutating func put(_ digest: Digest16, at offset: Int) {
    put(digest.high.byteSwapped, at: offset)
    put(digest.low.byteSwapped, at: offset + 8)
  }

  private mutating func put(_ number: UInt64, at offset: Int) {
    for index in 0..<8 { bytes[offset + index] = UInt8(truncatingIfNeeded: number >> (8 * UInt64(index))) }
  }

  private func sealed() -> ProducerEntry {
    var entry = self
    let sum = bytes.withUnsafeBytes { Self.checksum($0[...]) }
    for index in 0..<4 { entry.bytes[4 + index] = UInt8(truncatingIfNeeded: sum >> (8 * UInt32(index))) }
    return entry
  }

  static func checksum(_ bytes: Slice<UnsafeRawBufferPointer>) -> UInt32 {
    var hash: UInt32 = 0x811C_9DC5
    var offset = 0
    for byte in bytes {
      hash = (hash ^ UInt32(offset >= 4 && offset < 8 ? 0 : byte)) &* 0x0100_0193
      offset += 1
    }
    return hash
  }
}

extension ProducerIndex.Run {
  var entry: ProducerEntry { .run(self) }
}
