// Options whose value may be left out, as argparse has them and ArgumentParser has not. Knows words alone.
internal import ArgumentParser

/// A command with such options.
protocol OptionalValues {
  /// Name → the value that it has without one; `nil`: as if the option were not there.
  static var optionalValues: [String: String?] { get }
}

enum LeftOutValues {
  /// The words with those values put in, and without the options that mean nothing alone. What comes behind such an
  /// option is its value, unless it is an option itself.
  static func filled(_ words: [String], for command: any ParsableCommand.Type) -> [String] {
    guard let options = (command as? any OptionalValues.Type)?.optionalValues else { return words }
    var result: [String] = []
    var rest = words[...]
    while let word = rest.popFirst() {
      if word == "--" { return result + [word] + rest }
      // argparse takes a beginning for the whole where nothing else begins so.
      guard let name = options.keys.first(where: { $0 == word || word.utf8.count > 4 && $0.hasPrefix(word) }),
        rest.first?.hasPrefix("-") ?? true
      else {
        result.append(word)
        continue
      }
      if let value = options[name] ?? nil { result += [name, value] }
    }
    return result
  }
}
