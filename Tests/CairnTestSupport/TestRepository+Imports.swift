extension TestRepository {
  /// Writes `NAME.dvc` as an import from another repository leaves it.
  ///
  /// - Parameters:
  ///   - path: in the other repository.
  ///   - fields: lines of the output before its path, such as `md5: …`; each with its end, indented by two.
  package func writeImport(
    of path: String, from other: TestRepository, at revision: String, to name: String, fields: [String] = []
  ) throws {
    try write(
      "\(name).dvc",
      """
      frozen: true
      deps:
      - path: \(path)
        repo:
          url: \(other.root)
          rev_lock: \(revision)
      outs:
      - \((fields + ["path: \(name)"]).joined(separator: "\n  "))

      """)
  }
}
