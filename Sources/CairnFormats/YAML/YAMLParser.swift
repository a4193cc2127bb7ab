// Runs libyaml over a text and hands out its events. Knows nothing of what they mean.
import CYAML
import CairnCore

/// libyaml's event parser on bytes that outlive it.
///
/// libyaml counts characters, not bytes, in `mark.index`, and lines and columns from 0.
struct YAMLParser: ~Copyable {
  private let parser: UnsafeMutablePointer<yaml_parser_t>
  private let event: UnsafeMutablePointer<yaml_event_t>
  private var holdsEvent = false
  /// Holds the text that libyaml reads in place of the one given.
  private let surrogates: YAMLSurrogates?
  let source: SourceText

  init(_ source: SourceText, _ bytes: UnsafeBufferPointer<UInt8>) {
    self.source = source
    // Before any call of C: set after one, it was lost in optimised builds, and libyaml read freed memory.
    surrogates = YAMLSurrogates.replaced(in: bytes)
    parser = .allocate(capacity: 1)
    event = .allocate(capacity: 1)
    event.initialize(to: yaml_event_t())
    // Fails only when there is no memory; then nothing else would work either.
    precondition(yaml_parser_initialize(parser) == 1, "out of memory")
    yaml_parser_set_encoding(parser, YAML_UTF8_ENCODING)
    let bytes = surrogates?.text ?? bytes
    yaml_parser_set_input_string(parser, bytes.baseAddress ?? StaticString("").utf8Start, bytes.count)
  }

  deinit {
    if holdsEvent { yaml_event_delete(event) }
    yaml_parser_delete(parser)
    parser.deallocate()
    event.deallocate()
  }

  /// The next event, valid until the next call.
  mutating func next() throws(Diagnostic) -> UnsafePointer<yaml_event_t> {
    if holdsEvent { yaml_event_delete(event) }
    holdsEvent = yaml_parser_parse(parser, event) == 1
    guard holdsEvent else { throw fault() }
    if let surrogates {
      surrogates.restore(event)
      event.pointee.start_mark = surrogates.original(event.pointee.start_mark)
      event.pointee.end_mark = surrogates.original(event.pointee.end_mark)
    }
    return UnsafePointer(event)
  }

  /// A mark of what an event covers; without a length when it ends on another line.
  @inline(__always)
  func mark(_ event: UnsafePointer<yaml_event_t>) -> SourceMark {
    let start = event.pointee.start_mark
    let end = event.pointee.end_mark
    return SourceMark(
      source: source, line: start.line + 1, column: start.column + 1,
      length: start.line == end.line ? end.column - start.column : 0)
  }

  private func place(_ mark: yaml_mark_t) -> SourceMark {
    let mark = surrogates?.original(mark) ?? mark
    return SourceMark(source: source, line: mark.line + 1, column: mark.column + 1, length: 1)
  }

  private func fault() -> Diagnostic {
    let parser = parser.pointee
    let problem = parser.problem.map { String(cString: $0) } ?? "not YAML"
    if parser.error == YAML_READER_ERROR { return readerFault(problem, parser.problem_offset, parser.problem_value) }
    let context = parser.context.map { String(cString: $0) }
    let isElsewhere =
      parser.context_mark.line != parser.problem_mark.line || parser.context_mark.column != parser.problem_mark.column
    return YAMLFault.invalid(
      source, problem, at: place(parser.problem_mark), context: context,
      contextMark: context != nil && isElsewhere ? place(parser.context_mark) : nil)
  }

  private func readerFault(_ problem: String, _ offset: Int, _ value: Int32) -> Diagnostic {
    let bytes = source.bytes
    let skipped = YAMLParser.byteOrderMark(bytes)
    let position = min(skipped + (surrogates?.original(byte: offset) ?? offset), bytes.count)
    if problem.contains("control") {
      let before = bytes[skipped..<position]
      let lineStart = before.lastIndex(of: 0x0A).map { $0 + 1 } ?? skipped
      let column = before[lineStart...].count { $0 & 0xC0 != 0x80 }
      let line = before.count { $0 == 0x0A }
      return YAMLFault.control(
        source, character: UInt32(truncatingIfNeeded: value),
        at: SourceMark(source: source, line: line + 1, column: column + 1, length: 1))
    }
    let byte = position < bytes.count ? bytes[position] : 0
    let reason =
      problem.contains("incomplete") ? "unexpected end of data"
      : problem.contains("trailing") ? "invalid continuation byte" : "invalid start byte"
    return YAMLFault.encoding(source, byte: byte, position: position, reason: reason)
  }

  /// How many bytes a byte order mark takes at the start: 3 or 0.
  static func byteOrderMark(_ bytes: [UInt8]) -> Int {
    bytes.count >= 3 && bytes[0] == 0xEF && bytes[1] == 0xBB && bytes[2] == 0xBF ? 3 : 0
  }
}

extension UnsafePointer<yaml_event_t> {
  var scalarText: UnsafeBufferPointer<UInt8> {
    UnsafeBufferPointer(start: pointee.data.scalar.value, count: pointee.data.scalar.length)
  }

  /// The anchor of a scalar, list or map.
  var anchor: UnsafeMutablePointer<UInt8>? {
    switch pointee.type {
    case YAML_SCALAR_EVENT: pointee.data.scalar.anchor
    case YAML_SEQUENCE_START_EVENT: pointee.data.sequence_start.anchor
    case YAML_MAPPING_START_EVENT: pointee.data.mapping_start.anchor
    default: nil
    }
  }

  /// The tag of a scalar, list or map, resolved; `nil` for none and for `!`.
  var tag: String? {
    let written: UnsafeMutablePointer<UInt8>? =
      switch pointee.type {
      case YAML_SCALAR_EVENT: pointee.data.scalar.tag
      case YAML_SEQUENCE_START_EVENT: pointee.data.sequence_start.tag
      case YAML_MAPPING_START_EVENT: pointee.data.mapping_start.tag
      default: nil
      }
    guard let written, !(written[0] == UInt8(ascii: "!") && written[1] == 0) else { return nil }
    return String(cString: written)
  }
}
