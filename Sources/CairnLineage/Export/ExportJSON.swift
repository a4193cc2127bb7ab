// JSON of exports: keys in the order in which they are written down, everything beyond ASCII escaped.
package import CairnCore
import CairnFormats

package enum ExportJSON {
  /// One line, without its end.
  package static func line(_ value: Value) -> String { JSONWriter.text(JSONWriter.strict(value)) }

  /// For people to read, with the end of its last line.
  package static func document(_ value: Value) -> [UInt8] {
    JSONWriter.bytes(JSONWriter.strict(value), indent: 2) + [0x0A]
  }
}

extension ValueMap {
  /// Sets the key where there is something to say.
  mutating func set(_ key: String, _ value: Value?) { if let value { self[.string(key)] = value } }
  mutating func set(_ key: String, _ text: String?) { set(key, text.map { Value.string(ExportText.text($0)) }) }
  /// Lists that would be empty are left out.
  mutating func set(_ key: String, _ items: [Value]) { if !items.isEmpty { self[.string(key)] = .list(items) } }
}
