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

  @Test("a place is named from the project's root inside of the git work tree around it, else absolutely", arguments: [
    ("a", "/g", "a", "p/q/a"), ("../a", "/g", "../a", "p/a"), ("../../a/b", "/g", "../../a/b", "a/b"),
    ("/g/p/a", "/g", "../a", "p/a"), ("/g/p/q/a", "/g", "a", "p/q/a"), ("..", "/g", "..", "p"),
    ("../..", "/g", "../..", ""), ("../../../a", "/g", "/a", nil), ("/gg/a", "/g", "/gg/a", nil),
    ("../a", nil, "/g/p/a", nil), ("../../../a", "/", "../../../a", "a"),
    ("../a", "/g/p/q", "/g/p/a", nil), ("../é", "/g", "../é", "p/é"), ("s3://a/b", "/g", "s3://a/b", nil),
  ] as [(String, String?, String, String?)])
  func outside(path: String, workTree: String?, recorded: String, inWorkTree: String?) {
    let paths = PathResolver(root: "/g/p/q", workTree: workTree)
    let location = paths.location(of: path, in: .local(.root))
    #expect(location.recordPath == recorded)
    #expect(paths.location(ofRecorded: recorded) == location)
    #expect(location.isURL || paths.location(ofAbsolute: paths.absolute(location) ?? "") == location)
    #expect(paths.pathInWorkTree(location) == (workTree == nil ? location.local?.text : inWorkTree))
    if let inWorkTree { #expect(paths.location(inWorkTree: inWorkTree) == location) }
  }

  @Test("places are equal whoever names them; one lies inside another by whole names")
  func equality() {
    let place = PathResolver(root: "/g/p", workTree: "/g").location(ofAbsolute: "/g/a/b")
    let same = PathResolver(root: "/g/p", workTree: nil).location(ofAbsolute: "/g/a/b")
    #expect(place == same && Set([place, same]).count == 1)
    func external(_ path: String) -> Location { PathResolver(root: "/g/p", workTree: nil).location(ofAbsolute: path) }
    #expect(place.isInside(external("/g/a")) && place.isInside(place) && !place.isInside(external("/g/a/bb")))
    #expect(!external("/g/ab").isInside(external("/g/a")) && !place.isInside(.local(.root)))
  }
}
