// The canonical JSON of Cairn's own documents, whose hash is their name. Knows nothing of what they say.
package import CairnCore

/// One text for each value: what records, invocations and the like are hashed in.
///
/// Keys sorted by their UTF-8 bytes; no space; UTF-8 unescaped but `\"`, `\\`, `\b`, `\f`, `\n`, `\r`, `\t` and
/// `\u00XX` (lower case) for other control characters; integers in decimal; floats as Python's `repr`;
/// `{"$float":"nan"}`, `"inf"`, `"-inf"`; a text with bytes that are not UTF-8 (a path) as `{"$bytes":"BASE64"}`,
/// where it is a key as `"$bytes:BASE64"`; one newline at the end.
package enum CanonicalJSON {
  package static func encode(_ value: Value) -> [UInt8] {
    var writer = CanonicalWriter()
    writer.value(value)
    writer.raw("\n")
    return writer.bytes
  }

  /// Reads any JSON; `$float` and `$bytes` mean what `encode` writes them for.
  package static func decode(_ bytes: [UInt8], name: String) throws(Diagnostic) -> Value {
    restore(try JSONReader.value(bytes, name: name))
  }

  private static func restore(_ value: Value) -> Value {
    switch value {
    case .list(let items): return .list(items.map(restore))
    case .map(let map):
      if map.count == 1, let special = special(map.keys[0], map.values[0]) {
        return special
      }
      return .map(ValueMap(map.map { (restoreKey($0), restore($1)) }, uniquingKeysWith: { $1 }))
    default: return value
    }
  }

  private static func special(_ key: Value, _ item: Value) -> Value? {
    switch (key, item) {
    case ("$float", "nan"): .float(.nan)
    case ("$float", "inf"): .float(.infinity)
    case ("$float", "-inf"): .float(-.infinity)
    case ("$bytes", .string(let text)): odd(text).map(Value.string)
    default: nil
    }
  }

  private static func restoreKey(_ key: Value) -> Value {
    guard case .string(let text) = key, text.utf8.starts(with: CanonicalWriter.bytesKey.utf8),
      let bytes = Base64.decode(text.dropFirst(CanonicalWriter.bytesKey.count))
    else { return key }
    return .string(FileName.escape(bytes))
  }

  /// The text of bytes that are not UTF-8; `nil` for others, whose canonical form is plain text: what somebody else
  /// wrote as `{"$bytes": …}` then stays what it is.
  private static func odd(_ base64: String) -> String? {
    guard let bytes = Base64.decode(base64) else { return nil }
    let text = FileName.escape(bytes)
    return FileName.needsEscape(text) ? text : nil
  }
}

/// Appends canonical JSON piece by piece, for documents written without a tree of values.
struct CanonicalWriter {
  /// Before the base64 of a key that is not UTF-8, and of one that begins with this itself.
  static let bytesKey = "$bytes:"

  private(set) var bytes: [UInt8] = []

  mutating func reserve(_ count: Int) { bytes.reserveCapacity(count) }

  /// Appends text that is JSON already.
  mutating func raw(_ text: StaticString) { bytes.append(text) }

  mutating func string(_ text: String) {
    if JSONWriter.appendPlainUTF8(text, to: &bytes) { return }
    if FileName.needsEscape(text) {
      raw("{\"$bytes\":\"")
      bytes.append(contentsOf: Base64.encode(FileName.bytes(text)))
      raw("\"}")
    } else {
      JSONWriter.appendUTF8(text, to: &bytes)
    }
  }

  mutating func key(_ text: String) {
    if FileName.needsEscape(text) || text.utf8.starts(with: Self.bytesKey.utf8) {
      raw("\"$bytes:")
      bytes.append(contentsOf: Base64.encode(FileName.bytes(text)))
      raw("\":")
    } else {
      JSONWriter.appendUTF8(text, to: &bytes)
      raw(":")
    }
  }

  mutating func string(_ text: String?) { if let text { string(text) } else { raw("null") } }

  mutating func integer(_ number: some BinaryInteger) { bytes.append(contentsOf: String(number).utf8) }
  mutating func integer(_ number: (some BinaryInteger)?) { if let number { integer(number) } else { raw("null") } }
  mutating func bool(_ flag: Bool) { flag ? raw("true") : raw("false") }

  mutating func float(_ number: Double) {
    if number.isNaN {
      raw("{\"$float\":\"nan\"}")
    } else if number.isInfinite {
      number < 0 ? raw("{\"$float\":\"-inf\"}") : raw("{\"$float\":\"inf\"}")
    } else {
      bytes.append(contentsOf: PythonFloat.repr(number).utf8)
    }
  }

  mutating func digest(_ digest: Digest32?) {
    guard let digest else { return raw("null") }
    raw("\"")
    hex(digest.high)
    hex(digest.low)
    raw("\"")
  }

  mutating func hex(_ digest: Digest16) { digest.appendHex(to: &bytes) }

  mutating func list<Items: Collection>(_ items: Items, _ write: (inout Self, Items.Element) -> Void) {
    raw("[")
    var isFirst = true
    for item in items {
      if !isFirst { raw(",") }
      isFirst = false
      write(&self, item)
    }
    raw("]")
  }

  /// `pairs` in any order.
  mutating func map<Item>(_ pairs: [(key: String, item: Item)], _ write: (inout Self, Item) -> Void) {
    raw("{")
    var isFirst = true
    let sorted = pairs.count < 2 ? pairs : pairs.sorted { $0.key.precedesInBytes($1.key) }
    for pair in sorted {
      if !isFirst { raw(",") }
      isFirst = false
      key(pair.key)
      write(&self, pair.item)
    }
    raw("}")
  }

  mutating func value(_ value: Value) {
    switch value {
    case .null: raw("null")
    case .bool(let flag): bool(flag)
    case .int(let number): integer(number)
    case .bigInt(let digits): bytes.append(contentsOf: digits.utf8)
    case .float(let number): float(number)
    case .string(let text), .timestamp(let text): string(text)
    case .list(let items): list(items) { $0.value($1) }
    case .map(let map): self.map(map)
    }
  }

  mutating func map(_ map: ValueMap) {
    self.map(map.map { (JSONWriter.keyText($0), $1) }) { $0.value($1) }
  }
}
