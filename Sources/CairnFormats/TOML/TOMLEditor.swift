package import CairnCore
package struct TOMLEditor {
  package private(set) var text: String
  package init(_ source: SourceText) throws(Diagnostic) { text = String(decoding: source.bytes, as: UTF8.self) }
  package mutating func set(_ path: [String], to value: Value) throws(Diagnostic) {}
  package mutating func remove(_ path: [String]) throws(Diagnostic) {}
}
