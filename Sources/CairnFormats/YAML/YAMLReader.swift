// Makes marked values of a YAML document as DVC reads it. Knows nothing of what the document is for.
import CYAML
package import CairnCore

package enum YAMLReader {
  /// Reads one document, as `ruamel.yaml` in its safe mode does for DVC.
  ///
  /// Scalars follow YAML 1.2; merge keys are applied and aliases expanded; an empty text is null.
  /// Duplicate keys (as Python compares them), unknown tags and further documents are refused.
  /// The mark of an alias is its own, the marks inside it are the anchor's.
  package static func parse(_ source: SourceText) throws(Diagnostic) -> MarkedValue {
    // A closure cannot throw a typed error through `withUnsafeBufferPointer` of this standard library.
    let result = source.bytes.withUnsafeBufferPointer { bytes -> Result<MarkedValue, Diagnostic> in
      let text = UnsafeBufferPointer(rebasing: bytes[YAMLParser.byteOrderMark(source.bytes)...])
      var builder = YAMLBuilder(source, text)
      do throws(Diagnostic) {
        return .success(try builder.document())
      } catch {
        return .failure(error)
      }
    }
    let value = try result.get()
    try YAMLTabs.check(source)
    return value
  }
}

/// Builds values from events with a stack of its own, so that depth costs no stack.
private struct YAMLBuilder: ~Copyable {
  /// Copies that aliases may make in all, so that ten lines cannot ask for 10⁹ values.
  static let expansionLimit = 1_000_000
  /// Levels of nesting; values are released and compared recursively.
  static let depthLimit = 1_000

  enum Shape { case list, map, pairs, omap }

  struct Frame {
    var shape: Shape
    var mark: SourceMark
    var anchor: String?
    var items: [MarkedValue] = []
    var entries: [MarkedValue.MarkedEntry] = []
    var key: MarkedValue?
    /// The key just read is `<<`.
    var isMerging = false
    var merged: [MarkedValue.MarkedEntry] = []
    /// A bit for each key by its bytes, and whether two keys may be one: then they are compared properly.
    var keyBits: UInt64 = 0
    var mayRepeat = false
    /// Values inside, for the expansion limit.
    var count = 1
  }

  struct Anchored {
    var value: MarkedValue
    var count: Int
  }

  var parser: YAMLParser
  var frames: [Frame] = []
  var anchors: [String: Anchored] = [:]
  var open: Set<String> = []
  var expanded = 0
  var isVersion11 = false
  var root: MarkedValue?

  var source: SourceText { parser.source }

  init(_ source: SourceText, _ bytes: UnsafeBufferPointer<UInt8>) {
    parser = YAMLParser(source, bytes)
  }

  mutating func document() throws(Diagnostic) -> MarkedValue {
    var first: SourceMark?
    while true {
      let event = try parser.next()
      switch event.pointee.type {
      case YAML_STREAM_START_EVENT, YAML_DOCUMENT_END_EVENT: break
      case YAML_STREAM_END_EVENT:
        return root ?? MarkedValue(.scalar(.null), at: SourceMark(source: source, line: 1, column: 1))
      case YAML_DOCUMENT_START_EVENT:
        if let version = event.pointee.data.document_start.version_directive {
          isVersion11 = version.pointee.minor == 1
        }
        if root != nil {
          throw YAMLFault.invalid(
            source, "but found another document", at: parser.mark(event),
            context: "expected a single document in the stream", contextMark: first)
        }
      case YAML_ALIAS_EVENT: try alias(event)
      case YAML_SCALAR_EVENT: try scalar(event)
      case YAML_SEQUENCE_START_EVENT: try start(event, isMap: false)
      case YAML_MAPPING_START_EVENT: try start(event, isMap: true)
      case YAML_SEQUENCE_END_EVENT, YAML_MAPPING_END_EVENT: try end()
      default: break
      }
      if first == nil, root != nil { first = root?.mark }
    }
  }

  private func fault(
    _ problem: String, at mark: SourceMark?, context: String? = nil, contextMark: SourceMark? = nil
  ) -> Diagnostic {
    YAMLFault.invalid(source, problem, at: mark, context: context, contextMark: contextMark)
  }

  // MARK: Events

  private mutating func scalar(_ event: UnsafePointer<yaml_event_t>) throws(Diagnostic) {
    let text = event.scalarText
    let mark = parser.mark(event)
    let value: Value
    if let tag = event.tag {
      value = try tagged(text, tag, mark)
    } else if text.isEmpty, event.pointee.data.scalar.tag != nil {
      // A bare `!` before nothing, or before `''`.
      value = .null
    } else if event.pointee.data.scalar.plain_implicit != 0 {
      let kind = isVersion11 ? YAMLScalar.kind11(text) : YAMLScalar.kind(text)
      switch kind {
      case .string: value = .string(String(decoding: text, as: UTF8.self))
      case .merge, .value:
        let isKey = frames.last.map { $0.shape == .map && $0.key == nil } ?? false
        guard isKey else { throw unknownTag(kind == .merge ? "tag:yaml.org,2002:merge" : "tag:yaml.org,2002:value", mark) }
        frames[frames.count - 1].isMerging = kind == .merge
        value = .string(kind == .merge ? "<<" : "=")
      default:
        do throws(YAMLScalarFault) {
          value = isVersion11 ? try YAMLScalar.value11(text, as: kind) : try YAMLScalar.value(text, as: kind)
        } catch {
          throw fault(error.message, at: mark)
        }
      }
    } else {
      value = .string(String(decoding: text, as: UTF8.self))
    }
    noteKey(text, value)
    let result = MarkedValue(.scalar(value), at: mark)
    if let anchor = event.anchor { anchors[String(cString: anchor)] = Anchored(value: result, count: 1) }
    try add(result, count: 1)
  }

  /// Remembers a key, so that most maps need no search for duplicates.
  @inline(__always)
  private mutating func noteKey(_ text: UnsafeBufferPointer<UInt8>, _ value: Value) {
    let top = frames.count - 1
    guard top >= 0, frames[top].shape == .map, frames[top].key == nil else { return }
    guard case .string = value else { return frames[top].mayRepeat = true }
    var hash: UInt64 = UInt64(text.count)
    for byte in text { hash = (hash ^ UInt64(byte)) &* 0x9E37_79B9_7F4A_7C15 }
    let bit: UInt64 = 1 << (hash >> 58)
    if frames[top].keyBits & bit != 0 { frames[top].mayRepeat = true }
    frames[top].keyBits |= bit
  }

  private mutating func start(_ event: UnsafePointer<yaml_event_t>, isMap: Bool) throws(Diagnostic) {
    let mark = parser.mark(event)
    guard frames.count < Self.depthLimit else { throw fault("nested deeper than \(Self.depthLimit) levels", at: mark) }
    var frame = Frame(shape: isMap ? .map : .list, mark: SourceMark(source: source, line: mark.line, column: mark.column))
    if let tag = event.tag {
      switch tag {
      case "tag:yaml.org,2002:map" where isMap, "tag:yaml.org,2002:seq" where !isMap: break
      case "tag:yaml.org,2002:omap" where !isMap: frame.shape = .omap
      case "tag:yaml.org,2002:pairs" where !isMap: frame.shape = .pairs
      case "tag:yaml.org,2002:set" where isMap:
        throw fault("a set (the tag '!!set') is no value that Cairn can read", at: mark)
      case let known where YAMLBuilder.coreTags.contains(known):
        let expected = known.hasSuffix(":map") ? "mapping" : ["seq", "omap", "pairs"].contains { known.hasSuffix(":" + $0) } ? "sequence" : "scalar"
        throw fault("expected a \(expected) node, but found \(isMap ? "mapping" : "sequence")", at: mark)
      default: throw unknownTag(tag, mark)
      }
    }
    if let anchor = event.anchor {
      let name = String(cString: anchor)
      frame.anchor = name
      anchors[name] = nil
      open.insert(name)
    }
    frames.append(frame)
  }

  private mutating func end() throws(Diagnostic) {
    let frame = frames.removeLast()
    let node: MarkedValue.Node
    switch frame.shape {
    case .list: node = .list(frame.items)
    case .map: node = .map(try finished(frame))
    case .omap, .pairs: node = try ordered(frame)
    }
    let value = MarkedValue(node, at: frame.mark)
    if let anchor = frame.anchor {
      anchors[anchor] = Anchored(value: value, count: frame.count)
      open.remove(anchor)
    }
    try add(value, count: frame.count)
  }

  private mutating func alias(_ event: UnsafePointer<yaml_event_t>) throws(Diagnostic) {
    let name = String(cString: event.pointee.data.alias.anchor)
    let mark = parser.mark(event)
    guard let anchored = anchors[name] else {
      throw fault(
        open.contains(name) ? "the value of anchor '\(name)' contains itself" : "found undefined alias '\(name)'",
        at: mark)
    }
    expanded += anchored.count
    guard expanded <= Self.expansionLimit else {
      throw fault("aliases expand to more than \(Self.expansionLimit) values", at: mark)
    }
    var value = anchored.value
    value.mark = mark
    if !frames.isEmpty { frames[frames.count - 1].mayRepeat = true }
    try add(value, count: anchored.count)
  }

  // MARK: Values

  /// Puts a finished value where it belongs: into the innermost open list or map, or at the root.
  private mutating func add(_ value: MarkedValue, count: Int) throws(Diagnostic) {
    guard !frames.isEmpty else {
      root = value
      return
    }
    let top = frames.count - 1
    frames[top].count += count
    guard frames[top].shape == .map else {
      frames[top].items.append(value)
      return
    }
    guard let key = frames[top].key else {
      if !Self.isHashable(value) {
        throw fault(
          "found unhashable key", at: value.mark, context: "while constructing a mapping", contextMark: frames[top].mark)
      }
      if case .scalar = value.node {} else { frames[top].mayRepeat = true }
      frames[top].key = value
      return
    }
    frames[top].key = nil
    if frames[top].isMerging {
      frames[top].isMerging = false
      try merge(value, key: key)
    } else {
      frames[top].entries.append(MarkedValue.MarkedEntry(key: key, value: value))
    }
  }

  /// Whether Python takes it for a key: a list becomes a tuple, but not the lists inside it.
  private static func isHashable(_ key: MarkedValue) -> Bool {
    switch key.node {
    case .scalar: true
    case .map: false
    case .list(let items): items.allSatisfy { if case .scalar = $0.node { true } else { false } }
    }
  }

  /// Takes what `<<: value` brings: the last of a list first, as ruamel orders it.
  private mutating func merge(_ value: MarkedValue, key: MarkedValue) throws(Diagnostic) {
    let top = frames.count - 1
    let context = "while constructing a mapping"
    guard frames[top].merged.isEmpty else {
      throw fault("found duplicate merge key \"<<\"", at: key.mark, context: context, contextMark: frames[top].mark)
    }
    switch value.node {
    case .map(let entries): frames[top].merged = entries
    case .list(let items):
      for item in items.reversed() {
        guard case .map(let entries) = item.node else {
          throw fault(
            "expected a mapping for merging, but found \(Self.kindWord(item))", at: item.mark, context: context,
            contextMark: frames[top].mark)
        }
        frames[top].merged += entries
      }
    case .scalar:
      throw fault(
        "expected a mapping or list of mappings for merging, but found scalar", at: value.mark, context: context,
        contextMark: frames[top].mark)
    }
  }

  private static func kindWord(_ value: MarkedValue) -> String {
    switch value.node {
    case .scalar: "scalar"
    case .list: "sequence"
    case .map: "mapping"
    }
  }

  /// The entries of a map: merged ones first; its own override them, and are unique where nothing was merged.
  private func finished(_ frame: Frame) throws(Diagnostic) -> [MarkedValue.MarkedEntry] {
    guard frame.merged.isEmpty else { return PythonKey.lastOfEach(frame.merged + frame.entries) }
    guard frame.mayRepeat else { return frame.entries }
    if let (first, second) = PythonKey.firstDuplicate(frame.entries) {
      let name = YAMLWords.text(frame.entries[second].key.node)
      throw fault(
        "found duplicate key \"\(name)\" with value \"\(YAMLWords.text(frame.entries[second].value.node))\" "
          + "(original value: \"\(YAMLWords.text(frame.entries[first].value.node))\")",
        at: frame.entries[second].key.mark, context: "while constructing a mapping", contextMark: frame.mark)
    }
    return frame.entries
  }

  /// `!!omap` and `!!pairs`: a list of maps of one entry each.
  private func ordered(_ frame: Frame) throws(Diagnostic) -> MarkedValue.Node {
    var entries: [MarkedValue.MarkedEntry] = []
    for item in frame.items {
      guard case .map(let inner) = item.node, inner.count == 1 else {
        throw fault("expected a mapping of length 1", at: item.mark, contextMark: frame.mark)
      }
      entries.append(inner[0])
    }
    guard frame.shape == .pairs else { return .map(PythonKey.lastOfEach(entries)) }
    return .list(entries.map { MarkedValue(.list([$0.key, $0.value]), at: $0.key.mark) })
  }

  // MARK: Tags

  private static let coreTags = Set(
    ["null", "bool", "int", "float", "binary", "timestamp", "omap", "pairs", "set", "str", "seq", "map"].map {
      "tag:yaml.org,2002:" + $0
    })

  private func unknownTag(_ tag: String, _ mark: SourceMark) -> Diagnostic {
    fault("could not determine a constructor for the tag '\(tag)'", at: mark)
  }

  private func tagged(
    _ text: UnsafeBufferPointer<UInt8>, _ tag: String, _ mark: SourceMark
  ) throws(Diagnostic) -> Value {
    do throws(YAMLScalarFault) {
      switch tag {
      case "tag:yaml.org,2002:str": return .string(String(decoding: text, as: UTF8.self))
      case "tag:yaml.org,2002:null": return .null
      case "tag:yaml.org,2002:bool": return try YAMLScalar.bool(text)
      case "tag:yaml.org,2002:int": return try YAMLScalar.int(text)
      case "tag:yaml.org,2002:float": return try YAMLScalar.float(text)
      case "tag:yaml.org,2002:timestamp": return .timestamp(try YAMLTimestamp.canonical(text))
      case "tag:yaml.org,2002:binary":
        throw YAMLScalarFault("bytes (the tag '!!binary') are no value that Cairn can read")
      case "tag:yaml.org,2002:map", "tag:yaml.org,2002:set":
        throw YAMLScalarFault("expected a mapping node, but found scalar")
      case "tag:yaml.org,2002:seq", "tag:yaml.org,2002:omap", "tag:yaml.org,2002:pairs":
        throw YAMLScalarFault("expected a sequence node, but found scalar")
      default: break
      }
    } catch {
      throw fault(error.message, at: mark)
    }
    throw unknownTag(tag, mark)
  }
}
