// Chooses how a parameter or metrics file is read. Knows nothing of the formats themselves.
package import CairnCore

package enum ParameterFile {
  /// Reads `source` by its `suffix`, as DVC does: `.json`, `.toml`, `.py`, and YAML for all others.
  ///
  /// A document that Python calls falsy (an empty file, `null`, `[]`) is an empty map.
  ///
  /// - Throws: DVC's "unable to read: 'PATH', …".
  package static func parse(_ source: SourceText) throws(Diagnostic) -> MarkedValue {
    let document: MarkedValue
    switch suffix(of: source.path) {
    case ".json": document = try JSONReader.parse(source)
    case ".toml": document = try TOMLReader.parse(source)
    case ".py": document = try PythonParameters.parse(source)
    default: document = try yaml(source)
    }
    return document.isFalsy ? MarkedValue(.map([]), at: document.mark) : document
  }

  /// YAML, whose faults DVC words otherwise here than in the files of a pipeline.
  private static func yaml(_ source: SourceText) throws(Diagnostic) -> MarkedValue {
    do throws(Diagnostic) {
      return try YAMLReader.parse(source)
    } catch {
      guard error.code == .yamlSyntax, !error.hasErrorPrefix else { throw error }
      var fault = Diagnostic(
        .yamlSyntax, "unable to read: '\(source.path)', YAML file structure is corrupted", at: error.mark)
      // The parser's context comes first, what it did not expect is a note.
      let words = error.notes.map(\.message)
      if let cause = words.last {
        fault = fault.because(of: Diagnostic(.yamlSyntax, cause.prefix(1).lowercased() + cause.dropFirst()))
      }
      fault.notes = Array(error.notes.dropLast())
      throw fault
    }
  }

  package static func suffix(of path: String) -> String { ParameterSet.suffix(of: path) }
}
