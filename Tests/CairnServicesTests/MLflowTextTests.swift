// Names and values as MLflow takes them, held against the rules that its server was measured to have.
import CairnCore
@testable import CairnServices
import Testing

struct MLflowTextTests {
  @Test(
    "a key becomes one that the server takes",
    arguments: [
      ("train.lr", "train.lr"), ("params.yaml:train.lr", "params.yaml:train.lr"), ("a/b", "a/b"), ("é 日本", "é 日本"),
      ("a[0]", "a_0_"), ("50%", "50_"), ("tune@b", "tune_b"), ("a//b", "a__b"), ("/a", "_a"), ("a/", "a_"), ("..", "_."),
      (".", "_"), ("", "_"), ("../x", "_._x"), ("a/../b", "a_.._b"), ("a\tb", "a_b"), ("e\u{301}", "e_"),
    ])
  func key(name: String, wanted: String) { #expect(MLflowText.key(name) == wanted) }

  @Test("a long key is cut, and told from others that begin alike")
  func longKeys() {
    let (a, b) = (MLflowText.key(String(repeating: "k", count: 300) + "a"), MLflowText.key(String(repeating: "k", count: 300) + "b"))
    #expect(a.unicodeScalars.count == 250 && b.unicodeScalars.count == 250 && a != b)
    #expect(MLflowText.key(String(repeating: "k", count: 250)) == String(repeating: "k", count: 250))
  }

  @Test("two names that would become one stay two")
  func collisions() {
    var keys = MLflowKeys()
    let first = keys.key("a[0]")
    let second = keys.key("a_0_")
    #expect(first == "a_0_" && second.hasPrefix("a_0__") && second != first)
    #expect(keys.key("a[0]") == first)
    #expect(keys.changed.map(\.name) == ["a[0]", "a_0_", "a[0]"])
  }

  @Test("a text is cut by what the server counts, which is no bytes")
  func cut() {
    #expect(MLflowText.cut("ääää", to: 4) == "ääää")
    #expect(MLflowText.cut("äääää", to: 4) == "äää…")
  }

  @Test("leaves of a tree are named by their way")
  func leaves() {
    let tree = Value.map(["a": .map(["b": .list([1, .map(["c": 2])]), "e": .list([]), "f": .map([:])])])
    let leaves = MLflowRun.leaves(of: tree, named: "")
    #expect(leaves.map(\.0) == ["a.b.0", "a.b.1.c", "a.e", "a.f"])
    #expect(MLflowRun.leaves(of: 3, named: "x").map(\.0) == ["x"])
  }

  @Test("a metric is a number, and no truth")
  func metrics() {
    #expect(MLflowText.metric(1) == 1 && MLflowText.metric(.bool(true)) == nil && MLflowText.metric("0.5") == nil)
    #expect(MLflowText.json(.infinity) == "Infinity" && MLflowText.json(-.infinity) == "-Infinity" && MLflowText.json(.nan) == "NaN")
  }
}

struct PlotSeriesTests {
  private func points(_ text: String, _ path: String, limit: Int = 100) -> [String] {
    PlotSeries(Array(text.utf8), path: path, limit: limit).points.map { "\($0.name) \($0.step) \($0.value)" }
  }

  @Test("columns of numbers become series: of a CSV, a TSV, a list in JSON, and the list in an object")
  func kinds() {
    let wanted = ["a 0 1.0", "b 0 2.5", "a 1 3.0", "b 1 -4.0"]
    #expect(points("a,b,c\n1,2.5,x\n3,-4,y\n", "p.csv") == wanted)
    #expect(points("a\tb\r\n1\t2.5\r\n3\t-4\r\n", "p.TSV") == wanted)
    #expect(points(#"[{"a": 1, "b": 2.5}, {"a": 3, "b": -4}]"#, "p.json") == wanted)
    #expect(points(#"{"roc": [{"a": 1, "b": 2.5}, {"a": 3, "b": -4}]}"#, "p.json") == wanted)
  }

  @Test("quotes, a column of steps, and the end that is cut")
  func details() {
    #expect(points("\"a,\"\"x\"\"\",step\n\"1\",10\n2,20\n", "p.csv") == ["a,\"x\" 10 1.0", "a,\"x\" 20 2.0"])
    let cut = PlotSeries(Array("a\n1\n2\n3\n".utf8), path: "p.csv", limit: 2)
    #expect(cut.isCut && cut.points.count == 2)
    #expect(points("no table at all", "p.csv") == [] && points("{", "p.json") == [] && points("", "p.tsv") == [])
  }
}
