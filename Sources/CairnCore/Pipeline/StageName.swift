// Which names a new stage may have. (A name that stands in a dvc.yaml already is never refused, as in DVC.)

package enum StageName {
  /// Letters, digits, `_`, `-`, blanks and anything beyond ASCII; no other punctuation.
  package static func isValid(_ name: String) -> Bool {
    !name.isEmpty
      && !name.unicodeScalars.contains { scalar in
        switch scalar.value {
        case 0x21...0x2F, 0x3A...0x40, 0x5B...0x60, 0x7B...0x7E: scalar != "_" && scalar != "-"
        default: false
        }
      }
  }
}

extension Diagnostic.Code {
  package static let stageName = Diagnostic.Code("stage-name")
}
