package import CairnCore
package struct YAMLEditor {
  private var source: SourceText
  package init(_ source: SourceText) throws(Diagnostic) { self.source = source }
  package mutating func set(_ path: [PathStep], to value: Value) throws(Diagnostic) {}
  package mutating func remove(_ path: [PathStep]) throws(Diagnostic) {}
  package var text: String { String(decoding: source.bytes, as: UTF8.self) }
}
