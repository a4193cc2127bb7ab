// What a stage has said until its block is shown. Knows pieces and their order; knows nothing of stages and consoles.
internal import CairnEngine
internal import CairnSystem

/// A block of any length: a command may print more than there is memory, so beyond some megabytes its output waits in a
/// file.
struct StageBlock {
  enum Piece {
    case info(String)
    case warning(String)
    case output(OutputStream, [UInt8])
  }

  private enum Part {
    case piece(Piece)
    case stored(OutputStream, offset: Int, count: Int)
  }

  private var parts: [Part] = []
  private var heldCount = 0
  private var file: ScratchFile?
  private let limit: Int

  init(limit: Int = 4 << 20) { self.limit = limit }

  mutating func append(_ piece: Piece) {
    guard case .output(let stream, let bytes) = piece else { return parts.append(.piece(piece)) }
    if heldCount + bytes.count > limit {
      if file == nil { file = ScratchFile() }
      if let offset = file?.append(bytes) { return store(stream, offset, bytes.count) }
      // A full disk: memory is what is left.
    }
    heldCount += bytes.count
    parts.append(.piece(piece))
  }

  /// All of it, in order.
  func forEach(_ body: (Piece) -> Void) {
    for part in parts {
      switch part {
      case .piece(let piece): body(piece)
      case .stored(let stream, let offset, let count):
        for start in stride(from: offset, to: offset + count, by: 1 << 16) {
          guard let bytes = file?.read(at: start, count: min(1 << 16, offset + count - start)) else { break }
          body(.output(stream, bytes))
        }
      }
    }
  }

  private mutating func store(_ stream: OutputStream, _ offset: Int, _ count: Int) {
    if case .stored(let last, let start, let length)? = parts.last, last == stream, start + length == offset {
      parts[parts.count - 1] = .stored(stream, offset: start, count: length + count)
    } else {
      parts.append(.stored(stream, offset: offset, count: count))
    }
  }
}
