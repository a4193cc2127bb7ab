import CairnCore
import OrderedCollections
import Testing

struct ValueComparisonTests {
  private func changes(_ old: Value, _ new: Value, all: Bool = false) throws -> OrderedDictionary<String, ValueChange> {
    try ValueComparison(from: ["f": old], to: ["f": new], all: all) { $0 == "5" ? 5 : nil }.files["f"] ?? [:]
  }

  @Test("keys are dotted, in the order of their bytes, and only those that differ are there")
  func keys() throws {
    let found = try changes(
      .map(["b": .map(["y": 1, "x": 2.5]), "a": "same", "Z": 1]),
      .map(["a": "same", "b": .map(["x": 3.0, "y": 1]), "c": .map([:]), "n": .null, "Z": 2]))
    #expect(
      found == [
        "Z": ValueChange(old: 1, new: 2, difference: 1),
        "b.x": ValueChange(old: 2.5, new: 3.0, difference: 0.5),
      ])
    #expect(Array(found.keys) == ["Z", "b.x"])
  }

  @Test(
    "one and the same number differs from itself in no spelling",
    arguments: [(Value.int(1), Value.float(1)), (.bool(true), .int(1)), (.int(0), .float(-0.0))])
  func equalNumbers(_ pair: (Value, Value)) throws {
    #expect(try changes(.map(["k": pair.0]), .map(["k": pair.1])).isEmpty)
  }

  @Test(
    "integers of any size differ by an exact integer",
    arguments: [
      ("18446744073709551617", "18446744073709551616", "1"), ("18446744073709551616", "18446744073709551617", "-1"),
      ("-18446744073709551616", "-18446744073709551617", "1"), ("9223372036854775808", "1", "9223372036854775807"),
      ("9223372036854775807", "-1", "9223372036854775808"), ("-9223372036854775808", "1", "-9223372036854775809"),
      ("99999999999999999999", "-1", "100000000000000000000"), ("100000000000000000000", "1", "99999999999999999999"),
      ("-1", "99999999999999999999", "-100000000000000000000"), ("0", "18446744073709551616", "-18446744073709551616"),
      ("1000000000000000000000000", "18446744073709551616", "999981553255926290448384"), ("5", "7", "-2"),
    ])
  func wholeNumbers(_ new: String, _ old: String, _ difference: String) throws {
    func number(_ text: String) -> Value { Int(text).map(Value.int) ?? .bigInt(text) }
    let found = try changes(.map(["k": number(old)]), .map(["k": number(new)]))
    #expect(found["k"]?.difference == number(difference), "\(found)")
  }

  @Test("a list is one text, as Python shows it")
  func lists() throws {
    #expect(
      try changes(.map(["k": .list([1, "a"])]), .map(["k": .list([1, .map(["b": .null])])]))
        == ["k": ValueChange(old: "[1, 'a']", new: "[1, {'b': None}]")])
  }

  @Test("a file that holds a value alone has one key without a name; a text is read as JSON")
  func scalars() throws {
    #expect(try changes(4, "5") == ["": ValueChange(old: 4, new: 5, difference: 1)])
    #expect(try changes(.emptyMap, "word").isEmpty)
    #expect(try changes(.map(["k": 1]), "word") == ["k": ValueChange(old: 1, new: "unable to parse")])
  }

  @Test("NaN differs from itself as in Python, and is still what it was")
  func notANumber() {
    let value = Value.map(["k": .list([1, .float(.nan)])])
    #expect(!value.isEqualInPython(to: value))
    #expect(value.isStill(value))
    #expect(!value.isStill(.map(["k": .list([1, 2.5])])))
    #expect(Value.int(1).isStill(.float(1)))
  }

  @Test("two keys that are the same once they are dotted are refused in DVC's words")
  func duplicate() {
    let error = #expect(throws: Diagnostic.self) { try changes(.map(["a.b": 1, "a": .map(["b": 2])]), 1) }
    #expect(error?.fullMessage == "unexpected error - duplicated key 'a.b'")
  }

  @Test(
    "of a parameter document remains what the keys name",
    arguments: [
      (["lr"], Value.map(["lr": 0.1])),
      (["train.opt.kind", "train.epochs"], .map(["train": .map(["opt": .map(["kind": "sgd"]), "epochs": 3])])),
      (["list.1"], .map(["list": .list([.null, 2])])),
      (["list.0", "list.1"], .map(["list": .list([1, .null, 2])])),
      (["t*.epochs"], .map(["train": .map(["epochs": 3])])),
      (["lr", "nothing", "lr.below"], .map(["lr": 0.1])),
    ] as [([String], Value)])
  func subtree(_ keys: [String], _ expected: Value) {
    let document: Value = .map([
      "lr": 0.1, "list": .list([1, 2]),
      "train": .map(["epochs": 3, "opt": .map(["kind": "sgd", "beta": 0.9])]),
    ])
    #expect(ParameterSubtree.select(keys, from: document) == expected)
  }
}
