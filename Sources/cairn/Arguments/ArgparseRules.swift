// Reads a command line by the rules of Python's argparse: abbreviated long options, values glued to short ones,
// and its words for what is wrong. Knows shapes of options; knows nothing of what they mean.

struct ArgparseRules {
  let shapes: ArgumentShapes

  enum Result {
    /// The same command line with every option in full and on its own.
    case words([String])
    /// Somewhere before the rest of another command it says `-h`.
    case help
    case wrong(String)
  }

  func read(_ words: [String]) -> Result {
    var reading = Reading(shapes: shapes, rest: words[...])
    do throws(Fault) {
      while let word = reading.rest.popFirst() { try reading.take(word) }
      return .words(try reading.finished())
    } catch {
      return error.isHelp ? .help : .wrong(error.message)
    }
  }

  struct Fault: Error {
    var message: String
    var isHelp = false
    init(_ message: String) { self.message = message }

    fileprivate static var help: Fault {
      var fault = Fault("")
      fault.isHelp = true
      return fault
    }
  }

  private struct Reading {
    let shapes: ArgumentShapes
    var rest: ArraySlice<String>
    var result: [String] = []
    var positionals: [String] = []
    var given: Set<String> = []
    var unknown: [String] = []
    var isBehindTerminator = false
    /// The last word was an argument. argparse fills a repeating argument from one run of words, and takes what
    /// stands behind a later option for too much.
    var isInRun = false
    var hasFilledRepeating = false
    /// The arguments that may be left out have been: they were not among the first run of words.
    var hasFilledAll = false

    mutating func take(_ word: String) throws(Fault) {
      if isBehindTerminator || word == "-" || !word.hasPrefix("-") || Self.isNegativeNumber(word) {
        positional(word)
      } else {
        if isInRun { endRun() }
        if word == "--" {
          isBehindTerminator = true
        } else if word.hasPrefix("--") {
          try longOption(word)
        } else {
          try shortOptions(word)
        }
      }
    }

    private mutating func endRun() {
      isInRun = false
      hasFilledAll = shapes.positionals.dropFirst(positionals.count).allSatisfy { !$0.isRequired && !$0.isRepeating }
    }

    private mutating func positional(_ word: String) {
      if hasFilledAll, shapes.positionals.last?.isRepeating != true {
        unknown.append(word)
        return
      }
      let index = min(positionals.count, shapes.positionals.count - 1)
      let isRest = index >= 0 && shapes.positionals[index].takesRest
      let isRepeating = index >= 0 && shapes.positionals[index].isRepeating && !isRest
      if isRepeating, hasFilledRepeating, !isInRun {
        unknown.append(word)
        return
      }
      isInRun = true
      hasFilledRepeating = isRepeating
      if positionals.count < shapes.positionals.count || (shapes.positionals.last?.isRepeating ?? false) {
        positionals.append(word)
        if isRest {
          positionals += rest
          rest = []
        }
      } else {
        unknown.append(word)
      }
    }

    private mutating func longOption(_ word: String) throws(Fault) {
      let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
      let matches =
        shapes.option(named: parts[0]) != nil ? [parts[0]] : shapes.longNames.filter { $0.hasPrefix(parts[0]) }
      if matches.count > 1 {
        throw Fault("ambiguous option: \(word) could match \(matches.joined(separator: ", "))")
      }
      guard let name = matches.first, let option = shapes.option(named: name) else {
        if word.contains(" ") { positional(word) } else { unknown.append(word) }
        return
      }
      if name == "--help" { throw .help }
      given.formUnion(option.names)
      if option.takesValue {
        try values(of: option, name: name, glued: parts.count == 2 ? parts[1] : nil)
      } else if parts.count == 2 {
        throw Fault("argument \(option.display): ignored explicit argument '\(parts[1])'")
      } else {
        result.append(name)
      }
    }

    private mutating func shortOptions(_ word: String) throws(Fault) {
      var letters = word.dropFirst()
      while let letter = letters.popFirst() {
        let name = "-\(letter)"
        guard let option = shapes.option(named: name) else {
          if letters.endIndex == word.endIndex, word.dropFirst().first == letter, !word.contains(" ") {
            unknown.append(word)
          } else if word.contains(" ") {
            positional(word)
          } else {
            unknown.append("-\(letter)\(letters)")
          }
          return
        }
        if name == "-h" { throw .help }
        given.formUnion(option.names)
        if option.takesValue {
          let glued = letters.isEmpty ? nil : String(letters.first == "=" ? letters.dropFirst() : letters)
          return try values(of: option, name: name, glued: glued)
        }
        result.append(name)
      }
    }

    private mutating func values(of option: OptionShape, name: String, glued: String?) throws(Fault) {
      // A negative number is a value; on its own, ArgumentParser would take it for an option.
      func one(_ value: String) -> [String] { value.hasPrefix("-") ? ["\(name)=\(value)"] : [name, value] }
      if let glued {
        result += one(glued)
        return
      }
      if option.takesMany {
        result.append(name)
        while let next = rest.first, isValue(next) { result.append(rest.removeFirst()) }
      } else if let next = rest.first, isValue(next) {
        result += one(rest.removeFirst())
      } else {
        throw Fault("argument \(option.display): expected one argument")
      }
    }

    private func isValue(_ word: String) -> Bool {
      word == "-" || !word.hasPrefix("-") || Self.isNegativeNumber(word) || word.contains(" ") && !isOption(word)
    }

    /// Of a word with a space: it names an option of ours all the same.
    private func isOption(_ word: String) -> Bool {
      guard word.hasPrefix("--") else { return shapes.option(named: String(word.prefix(2))) != nil }
      let name = word.prefix { $0 != "=" }
      return name.utf8.count < word.utf8.count && shapes.longNames.contains { $0.hasPrefix(name) }
    }

    func finished() throws(Fault) -> [String] {
      var missing = shapes.positionals.dropFirst(positionals.count).filter(\.isRequired).map(\.name)
      missing += shapes.options.filter { $0.isRequired && given.isDisjoint(with: $0.names) }.map(\.display)
      if !missing.isEmpty { throw Fault("the following arguments are required: \(missing.joined(separator: ", "))") }
      if !unknown.isEmpty { throw Fault("unrecognized arguments: \(unknown.joined(separator: " "))") }
      let needsTerminator =
        positionals.contains { $0.hasPrefix("-") && $0 != "-" }
        // Which would take them for values of its own.
        || !positionals.isEmpty && shapes.options.contains { $0.takesMany && !given.isDisjoint(with: $0.names) }
      if needsTerminator, !takesRest { return result + ["--"] + positionals }
      return result + positionals
    }

    private var takesRest: Bool { shapes.positionals.contains(where: \.takesRest) }

    private static func isNegativeNumber(_ word: String) -> Bool {
      guard word.hasPrefix("-"), let next = word.dropFirst().first, next.isNumber || next == "." else { return false }
      return Double(word) != nil
    }
  }
}
