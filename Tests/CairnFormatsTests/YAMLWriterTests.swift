// DVC's layout, recorded from DVC 3.67.1; YAMLDifferentialTests makes as many more as one likes.
import CairnCore
import CairnFormats
import Testing

struct YAMLWriterTests {
  static let recorded: [(V, String)] = [
    (["k": "yes"], "k: yes\n"),
    (["k": "1e3"], "k: '1e3'\n"),
    (["k": ""], "k: ''\n"),
    (["k": .null, "l": [.null, []]], "k:\nl:\n- \n- []\n"),
    (["k": "a: b", "m": "#x", "n": " a", "o": "it's"], "k: 'a: b'\nm: '#x'\nn: ' a'\no: it's\n"),
    (["k": "two\nlines\n"], "k: \"two\\nlines\\n\"\n"),
    (["k": 1e-05, "l": 1e16, "m": .float(-.infinity), "n": .float(.nan)], "k: 1e-05\nl: 1e+16\nm: -.inf\nn: .nan\n"),
    (["k": .bigInt("18446744073709551616")], "k: 18446744073709551616\n"),
    (["a": ["b": [["c": 1, "d": [[1, 2]]]]]], "a:\n  b:\n  - c: 1\n    d:\n    - - 1\n      - 2\n"),
    (["k": .timestamp("2001-12-14 21:59:43.100000")], "k: 2001-12-14 21:59:43.100000\n"),
    (["cmd": .string(String(repeating: "python train.py ", count: 8) + "end")], "cmd: python train.py python train.py python train.py python train.py python \n  train.py python train.py python train.py python train.py end\n"),
    (["path": .string(String(repeating: "x", count: 90))], "path: \n  xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\n"),
    (["k": .string(String(repeating: "a'b ", count: 30) + "z")], "k: a'b a'b a'b a'b a'b a'b a'b a'b a'b a'b a'b a'b a'b a'b a'b a'b a'b a'b a'b \n  a'b a'b a'b a'b a'b a'b a'b a'b a'b a'b a'b z\n"),
    (["k": "ünï 日本", "l": "tab\there"], "k: ünï 日本\nl: \"tab\\there\"\n"),
  ]

  @Test("plain data is written in DVC's layout", arguments: recorded)
  func layout(value: V, text: String) { #expect(YAMLWriter.dump(value.value) == text) }

  @Test("an entry is written into a text that has others before it")
  func entry() {
    var out = Array("stages:\n".utf8)
    YAMLWriter.appendEntry("train", (["cmd": "python a.py", "deps": ["a", ["b": 1]]] as V).value, indent: 2, to: &out)
    #expect(String(decoding: out, as: UTF8.self) == "stages:\n  train:\n    cmd: python a.py\n    deps:\n    - a\n    - b: 1\n")
  }
}

/// Values by literals: lists and maps too, which `Value` itself does not offer.
struct V: ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral, ExpressibleByStringLiteral,
  ExpressibleByIntegerLiteral, ExpressibleByFloatLiteral, Sendable
{
  var value: CairnCore.Value
  init(_ value: CairnCore.Value) { self.value = value }
  init(arrayLiteral items: V...) { value = .list(items.map(\.value)) }
  init(dictionaryLiteral pairs: (String, V)...) {
    value = .map(ValueMap(pairs.map { (CairnCore.Value.string($0), $1.value) }, uniquingKeysWith: { $1 }))
  }
  init(stringLiteral text: String) { value = .string(text) }
  init(integerLiteral number: Int) { value = .int(number) }
  init(floatLiteral number: Double) { value = .float(number) }
  static let null = V(.null)
  static func bigInt(_ digits: String) -> V { V(.bigInt(digits)) }
  static func float(_ number: Double) -> V { V(.float(number)) }
  static func string(_ text: String) -> V { V(.string(text)) }
  static func timestamp(_ text: String) -> V { V(.timestamp(text)) }
}
