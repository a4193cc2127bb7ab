// What a server shows, held against what it was sent.
import CairnCore
@testable import CairnServices
import Testing

struct MLflowDifferencesTests {
  private static func metric(_ key: String, _ value: Value) -> Value { .map(["key": .string(key), "value": value]) }

  private func metrics(_ wanted: [MLflowRun.Metric], _ shown: [Value], refused: String = "") -> [String] {
    var differences = MLflowDifferences()
    differences.metrics(wanted, .list(shown), refused: refused)
    return differences.words
  }

  @Test("a value that was refused may be missing, and may not be another one")
  func refused() {
    func differences(_ shown: [Value], _ refused: String) -> [String] {
      var differences = MLflowDifferences()
      differences.parameters([.init(key: "lr", value: "0.1")], .list(shown), refused: refused)
      return differences.words
    }
    #expect(differences([], "param 'lr': no") == [])
    #expect(differences([], "param 'lrs': no\nmetric 'lr': no") == ["the parameter lr is missing, not '0.1'"])
    #expect(differences([Self.metric("lr", "other")], "param 'lr': no") == ["the parameter lr is 'other', not '0.1'"])
    let auc = MLflowRun.Metric(key: "auc", value: 0.9, step: 0)
    #expect(metrics([auc], [], refused: "metric 'auc': no") == [])
    #expect(metrics([auc], []) == ["the metric auc is missing"])
    #expect(metrics([auc], [Self.metric("auc", 0.5)], refused: "metric 'auc': no") == ["the metric auc is 0.5, not 0.9"])
  }

  @Test("of a series the last step is shown; of values of one step any")
  func series() {
    let wanted = [
      MLflowRun.Metric(key: "loss", value: 3, step: 0), MLflowRun.Metric(key: "loss", value: 1, step: 2),
      MLflowRun.Metric(key: "loss", value: 2, step: 1), MLflowRun.Metric(key: "x", value: 1, step: 0),
      MLflowRun.Metric(key: "x", value: 2, step: 0),
    ]
    #expect(metrics(wanted, [Self.metric("loss", 1), Self.metric("x", 2), Self.metric("own", 7)]) == [])
    #expect(metrics(wanted, [Self.metric("loss", 3), Self.metric("x", 1)]) == ["the metric loss is 3.0, not 1.0"])
  }

  @Test("what is no number, or too large for one, is shown otherwise and is the same")
  func oddNumbers() {
    let wanted = [
      MLflowRun.Metric(key: "nan", value: .nan, step: 0), MLflowRun.Metric(key: "most", value: .infinity, step: 0),
      MLflowRun.Metric(key: "least", value: -.infinity, step: 0),
    ]
    let most = Value.float(.greatestFiniteMagnitude)
    #expect(metrics(wanted, [Self.metric("nan", "NaN"), Self.metric("most", most), Self.metric("least", "-Infinity")]) == [])
    #expect(metrics(wanted, [Self.metric("nan", 0), Self.metric("most", 1), Self.metric("least", most)]).count == 3)
  }

  @Test("where a plot is not here, a metric may have the name of its file before its own")
  func longKeys() {
    var differences = MLflowDifferences()
    let wanted = [MLflowRun.Metric(key: "auc", value: 1, step: 0)]
    differences.metrics(wanted, .list([Self.metric("m.json:auc", 1)]), refused: "", longKeys: ["auc": "m.json:auc"])
    #expect(differences.words == [])
    differences.metrics(wanted, .list([Self.metric("m.json:auc", 2)]), refused: "", longKeys: ["auc": "m.json:auc"])
    #expect(differences.words == ["the metric auc is 2.0, not 1.0"])
  }

  @Test("of long texts that begin alike, what is told is where they part")
  func longTexts() {
    var differences = MLflowDifferences()
    let start = String(repeating: "a", count: 200)
    differences.compare("it", start + "x", start + "y")
    let end = String(repeating: "a", count: 20)
    #expect(differences.words == ["it is '…\(end)x', not '…\(end)y'"])
  }

  @Test("a dataset has one digest")
  func datasets() {
    func differences(_ digests: [String]) -> [String] {
      var differences = MLflowDifferences()
      let wanted = MLflowRun.Dataset(name: "a.csv", digest: "1", sourceType: "local", source: "{}", tags: [])
      let shown = digests.map { ("a.csv", $0) } + [("own", "9")]
      differences.datasets(
        [wanted], .list(shown.map { .map(["dataset": .map(["name": .string($0), "digest": .string($1)])]) }))
      return differences.words
    }
    #expect(differences(["1"]) == [])
    #expect(differences(["2"]) == ["the dataset a.csv has the digest 2, not 1"])
    #expect(differences(["2", "1"]) == ["the dataset a.csv has the digest 2, too, and not only 1"])
    #expect(differences([]) == ["the dataset a.csv is missing, not 1"])
  }

  @Test("a version names all of its sources and no other; where not all is known, none is called forged")
  func sources() {
    func differences(_ shown: [String: String], isWhole: Bool = true) -> [String] {
      var differences = MLflowDifferences()
      differences.tags(
        [.init(key: "cairn.md5", value: "m"), .init(key: "cairn.data.a", value: "1"), .init(key: "cairn.data.b", value: "2")],
        ofVersion: shown, isWhole: isWhole)
      return differences.words
    }
    let all = ["cairn.md5": "m", "cairn.data.a": "1", "cairn.data.b": "2", "owner": "ann"]
    #expect(differences(all) == [])
    #expect(differences(all.merging(["cairn.data.b": "3"]) { $1 }) == ["its tag cairn.data.b is '3', not '2'"])
    #expect(differences(all.filter { $0.key != "cairn.data.a" }) == ["its tag cairn.data.a is missing, not '1'"])
    let forged = all.merging(["cairn.data.foo.csv": "4"]) { $1 }
    #expect(differences(forged) == ["its tag cairn.data.foo.csv is '4', and nothing of that name is behind it"])
    #expect(differences(forged, isWhole: false) == [])
    #expect(differences(["cairn.data.a": "9"], isWhole: false) == ["its tag cairn.md5 is missing, not 'm'", "its tag cairn.data.a is '9', not '1'"])
  }
}
