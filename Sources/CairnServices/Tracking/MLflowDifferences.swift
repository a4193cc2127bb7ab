// What a server shows, held against what it was sent: each difference in words. Pure: asks nobody.
import CairnCore
import CairnFormats

struct MLflowDifferences {
  private(set) var words: [String] = []

  static func pairs(_ value: Value?) -> [String: String] {
    var pairs: [String: String] = [:]
    for item in value?.list ?? [] {
      if let key = item["key"]?.string { pairs[key] = item["value"]?.string ?? "" }
    }
    return pairs
  }

  mutating func add(_ difference: String) { words.append(difference) }

  mutating func compare(_ what: String, _ found: String?, _ expected: String) {
    if let found, found.hasSameBytes(as: expected) { return }
    guard let found else { return words.append("\(what) is missing, not '\(Self.cut(expected))'") }
    // Of long texts that begin alike, what is told is where they part.
    let alike = zip(found, expected).prefix { $0 == $1 }.count
    let start = alike > 60 ? alike - 20 : 0
    let mark = start > 0 ? "…" : ""
    func shown(_ text: String) -> String { "'\(mark)\(Self.cut(String(text.dropFirst(start))))'" }
    words.append("\(what) is \(shown(found)), not \(shown(expected))")
  }

  private static func cut(_ text: String) -> String { text.count > 80 ? text.prefix(79) + "…" : text }

  /// Whether the tag `cairn.refused` has this of the kind, so that it may be missing.
  ///
  /// It excuses no other value: anybody may write it.
  private static func isRefused(_ kind: String, _ key: String, _ refused: String) -> Bool {
    refused.split(separator: "\n").contains { $0.hasPrefix("\(kind) '\(key)': ") }
  }

  // MARK: Runs

  mutating func parameters(_ wanted: [MLflowRun.Pair], _ shown: Value?, refused: String) {
    let shown = Self.pairs(shown)
    for pair in wanted {
      let found = shown[pair.key]
      if found == nil, Self.isRefused("param", pair.key, refused) { continue }
      compare("the parameter \(pair.key)", found, pair.value)
    }
  }

  /// A server shows the last step of a metric, and of one step the newest value.
  ///
  /// - Parameter longKeys: by key, another one that the same metric may have.
  mutating func metrics(_ wanted: [MLflowRun.Metric], _ shown: Value?, refused: String, longKeys: [String: String] = [:]) {
    var found: [String: Double] = [:]
    for item in shown?.list ?? [] {
      if let key = item["key"]?.string { found[key] = Self.number(item["value"]) }
    }
    var last: [String: (step: Int, values: [Double])] = [:]
    for metric in wanted {
      if let known = last[metric.key], known.step >= metric.step {
        if known.step == metric.step { last[metric.key]?.values.append(metric.value) }
      } else {
        last[metric.key] = (metric.step, [metric.value])
      }
    }
    for (key, expected) in last.sorted(by: { $0.key < $1.key }) {
      guard let value = found[key] ?? longKeys[key].flatMap({ found[$0] }) else {
        if !Self.isRefused("metric", key, refused) { words.append("the metric \(key) is missing") }
        continue
      }
      if !expected.values.contains(where: { Self.isSame($0, value) }) {
        words.append("the metric \(key) is \(Self.text(value)), not \(Self.text(expected.values[0]))")
      }
    }
  }

  private static func text(_ number: Double) -> String { PythonText.str(.float(number)) }

  /// What is no number is JSON's text.
  private static func number(_ value: Value?) -> Double? {
    switch value?.string {
    case "NaN": return .nan
    case "Infinity": return .infinity
    case "-Infinity": return -.infinity
    default: return value.flatMap(MLflowText.metric)
    }
  }

  /// Databases keep the largest number in place of an infinite one, and some a digit less than there was.
  private static func isSame(_ sent: Double, _ shown: Double) -> Bool {
    if sent.isNaN || shown.isNaN { return sent.isNaN && shown.isNaN }
    let most = Double.greatestFiniteMagnitude
    let (a, b) = (min(max(sent, -most), most), min(max(shown, -most), most))
    return a == b || abs(a / 2 - b / 2) <= 1e-14 * max(abs(a), abs(b))
  }

  mutating func datasets(_ wanted: [MLflowRun.Dataset], _ shown: Value?) {
    var found: [String: Set<String>] = [:]
    for input in shown?.list ?? [] {
      guard let name = input["dataset"]?["name"]?.string, let digest = input["dataset"]?["digest"]?.string else { continue }
      found[name, default: []].insert(digest)
    }
    var expected: [String: Set<String>] = [:]
    for dataset in wanted { expected[dataset.name, default: []].insert(dataset.digest) }
    for (name, digests) in expected.sorted(by: { $0.key < $1.key }) {
      guard let shown = found[name] else {
        words.append("the dataset \(name) is missing, not \(Self.list(digests))")
        continue
      }
      if digests.isSubset(of: shown) {
        let more = shown.subtracting(digests)
        if more.isEmpty { continue }
        words.append("the dataset \(name) has the digest \(Self.list(more)), too, and not only \(Self.list(digests))")
      } else {
        words.append("the dataset \(name) has the digest \(Self.list(shown)), not \(Self.list(digests))")
      }
    }
  }

  private static func list(_ texts: Set<String>) -> String { texts.sorted().joined(separator: ", ") }

  // MARK: Versions of models

  /// - Parameter isWhole: all of the ancestry is known: what else the version names as a source is none.
  mutating func tags(_ wanted: [MLflowRun.Pair], ofVersion shown: [String: String], isWhole: Bool) {
    for tag in wanted {
      let isSource = tag.key.hasPrefix(ModelRegistration.sourcePrefix)
      // Which sources have tags of their own hangs on all of them.
      if isSource, !isWhole, shown[tag.key] == nil || tag.key == ModelRegistration.moreSources { continue }
      compare("its tag \(tag.key)", shown[tag.key], tag.value)
    }
    guard isWhole else { return }
    let keys = Set(wanted.map(\.key))
    for (key, value) in shown.sorted(by: { $0.key < $1.key })
    where key.hasPrefix(ModelRegistration.sourcePrefix) && !keys.contains(key) {
      words.append("its tag \(key) is '\(Self.cut(value))', and nothing of that name is behind it")
    }
  }
}
