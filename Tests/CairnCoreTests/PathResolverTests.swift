// What a declared path means.
import CairnCore
import Testing

@Suite struct PathResolverTests {
  @Test("a scheme that nobody reads from is told from a file name with a colon", arguments: [
    ("nope://host/a", "nope"), ("NOPE://host", "nope"), ("a+b-c.1://h", "a+b-c.1"), ("file://host/a", "file"),
    ("s3://bucket/key", nil), ("HTTPS://host", nil), ("remote://name/a", nil), ("ds://name", nil), ("nope://", nil),
    ("nope:///a", nil), ("nope://?a", nil), ("nope:/a", nil), ("a_b://c", nil), ("1a://c", nil), ("é://c", nil),
    ("://c", nil), ("a/b://c", nil), ("plain", nil), ("", nil),
  ] as [(String, String?)])
  func unsupportedScheme(path: String, expected: String?) {
    #expect(PathResolver.unsupportedScheme(of: path) == expected)
  }
}
