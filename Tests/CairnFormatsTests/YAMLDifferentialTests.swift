// Compares our YAML with DVC's own on random values and texts. Needs a Python with DVC, named by CAIRN_DVC_PYTHON;
// CAIRN_YAML_CASES and CAIRN_YAML_SEED say how many and which.
import CairnCore
import CairnFormats
import CairnTestSupport
import Foundation
import Testing

private let environment = ProcessInfo.processInfo.environment

@Suite(.enabled(if: environment["CAIRN_DVC_PYTHON"] != nil))
struct YAMLDifferentialTests {
  @Test("what we write is what DVC writes, to the byte")
  func writing() throws {
    var faults = 0
    for (input, expected) in try cases("write") {
      let text = YAMLWriter.dump(value(input))
      if let expected = expected as? String, text.utf8.elementsEqual(expected.utf8) { continue }
      faults += 1
      if faults <= 8 { print("WRITE", input, "\n--- ours\n\(text)\n--- DVC's\n\(expected)") }
    }
    #expect(faults == 0)
  }

  @Test("what we read is what DVC reads")
  func reading() throws {
    var faults = 0
    for (input, expected) in try cases("read") {
      guard let text = input as? String, let expected = expected as? [Any] else { continue }
      let ours: [Any]
      do throws(Diagnostic) {
        ours = typed(try YAMLReader.parse(SourceText(path: "x", bytes: Array(text.utf8))).value)
      } catch {
        ours = ["error", error.notes.map(\.message).joined(separator: "; ") + error.fullMessage]
      }
      if isSame(ours, expected) { continue }
      faults += 1
      if faults <= 400 { print("DIFF", text.debugDescription, "\n   ours ", oneLine(ours), "\n   DVC's", oneLine(expected)) }
    }
    #expect(faults == 0)
  }

  private func oneLine(_ any: [Any]) -> String {
    let data = (try? JSONSerialization.data(withJSONObject: any)) ?? Data()
    return String(decoding: data, as: UTF8.self)
  }

  private func isSame(_ ours: [Any], _ theirs: [Any]) -> Bool {
    let (a, b) = (ours[0] as? String, theirs[0] as? String)
    if a == "error" || b == "error" { return a == b }
    // DVC's parser gives `{}` for all that is false in Python.
    if b == "empty" { return !value(ours).isTruthy }
    return value(ours) == value(theirs) || "\(value(ours))".contains("nan")
  }

  private func cases(_ mode: String) throws -> [(Any, Any)] {
    let python = try #require(environment["CAIRN_DVC_PYTHON"])
    let words = [mode, environment["CAIRN_YAML_SEED"] ?? "1", environment["CAIRN_YAML_CASES"] ?? "1000"]
    return try PythonOracle.lines(python, "yaml_oracle.py", words).map {
      let pair = try #require(JSONSerialization.jsonObject(with: $0) as? [Any])
      return (pair[0], pair[1])
    }
  }

  private func value(_ any: Any) -> Value {
    guard let parts = any as? [Any], let tag = parts[0] as? String else { return .null }
    switch tag {
    case "b": return .bool((parts[1] as? Bool) ?? false)
    case "i":
      let text = parts[1] as? String ?? ""
      return Int(text).map { .int($0) } ?? .bigInt(text)
    case "f": return .float(Double(parts[1] as? String ?? "") ?? .nan)
    case "s": return .string(parts[1] as? String ?? "")
    case "t": return .timestamp(parts[1] as? String ?? "")
    case "l": return .list((parts[1] as? [Any] ?? []).map(value))
    case "m":
      let pairs = (parts[1] as? [[Any]] ?? []).map { (value($0[0]), value($0[1])) }
      return .map(ValueMap(pairs, uniquingKeysWith: { $1 }))
    default: return .null
    }
  }

  private func typed(_ value: Value) -> [Any] {
    switch value {
    case .null: ["n"]
    case .bool(let flag): ["b", flag]
    case .int(let number): ["i", String(number)]
    case .bigInt(let digits): ["i", digits]
    case .float(let number): ["f", "\(number)"]
    case .string(let text): ["s", text]
    case .timestamp(let text): ["t", text]
    case .list(let items): ["l", items.map(typed)]
    case .map(let map): ["m", map.map { [typed($0), typed($1)] }]
    }
  }
}
