// What differs between recorded and present parameters of one file, one reason for each leaf, however many of the
// declared keys hold it.

struct ParameterReasons {
  /// As declared.
  let path: String
  private var found: [Reason] = []
  /// Where a key's reason stands. By bytes: names that only Unicode takes for the same are two.
  private var places: [[UInt8]: Int] = [:]

  init(path: String) { self.path = path }

  var isYAML: Bool { ![".json", ".toml", ".py"].contains(ParameterSet.suffix(of: path)) }

  /// A declared key of which at least one side is absent or differs.
  mutating func add(_ key: String, was: Value?, now: Value?) {
    switch (was, now) {
    // A declared key may hold a whole subtree: people are told which leaf of it differs.
    case (.map(let old)?, .map(let new)?):
      for name in Array(new.keys) + old.keys.filter({ new[$0] == nil }) {
        let (was, now) = (old[name], new[name])
        if let was, let now, was.isEqualInPython(to: now) || isYAML && was.isStill(now) { continue }
        add(key + "." + PythonText.str(name), was: was, now: now)
      }
    case (let was?, let now?):
      insert(Reason(.parameterChanged, path: path, key: key, was: .value(was), now: .value(now)))
    case (nil, let now?): insert(Reason(.parameterAdded, path: path, key: key, now: .value(now)))
    case (let was, nil): insert(Reason(.parameterMissing, path: path, key: key, was: was.map(Reason.Evidence.value)))
    }
  }

  private mutating func insert(_ reason: Reason) {
    let key = Array((reason.key ?? "").utf8)
    guard let place = places[key] else {
      places[key] = found.count
      found.append(reason)
      return
    }
    // A subtree that was recorded says more than its part that is newly declared.
    if found[place].was == nil, reason.was != nil { found[place] = reason }
  }

  /// In the order of the declaration, without those that another one says already: what lies below a changed value, and
  /// what came or went with the whole that holds it.
  var reasons: [Reason] {
    places.count < 2 ? found : found.filter { !isSaidAbove($0) }
  }

  private func isSaidAbove(_ reason: Reason) -> Bool {
    let key = Array((reason.key ?? "").utf8)
    for (place, byte) in key.enumerated() where byte == UInt8(ascii: ".") {
      guard let above = places[Array(key[..<place])] else { continue }
      let kind = found[above].kind
      if kind == .parameterChanged || kind == reason.kind { return true }
    }
    return false
  }
}
