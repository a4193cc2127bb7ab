// Which options and arguments a command has, taken from ArgumentParser's own description of it.
// Made only when a command line is refused: the description is a JSON document.
internal import ArgumentParser
internal import CairnCore
internal import CairnFormats

struct OptionShape {
  /// `-j`, `--jobs`.
  var names: [String]
  var takesValue: Bool
  /// Takes all values up to the next option.
  var takesMany: Bool
  var isRequired: Bool

  /// As argparse names it in messages: `-j/--jobs`.
  var display: String { names.joined(separator: "/") }
}

struct PositionalShape {
  var name: String
  var isRequired: Bool
  var isRepeating: Bool
  /// From the first such argument on, everything belongs to it.
  var takesRest: Bool
}

struct ArgumentShapes {
  var options: [OptionShape] = []
  var positionals: [PositionalShape] = []

  init?(of command: any ParsableCommand.Type) {
    let text = command._dumpHelp()
    guard let document = try? JSONReader.parse(SourceText(path: "", bytes: Array(text.utf8))).value,
      let arguments = document["command"]?["arguments"]?.list
    else { return nil }
    for argument in arguments {
      let strategy = argument["parsingStrategy"]?.string ?? ""
      let isRepeating = argument["isRepeating"]?.bool ?? false
      let isRequired = !(argument["isOptional"]?.bool ?? false)
      if argument["kind"]?.string == "positional" {
        positionals.append(
          PositionalShape(
            name: argument["valueName"]?.string ?? "", isRequired: isRequired, isRepeating: isRepeating,
            takesRest: strategy == "allRemainingInput"))
      } else {
        let names = (argument["names"]?.list ?? []).compactMap { name -> String? in
          guard let text = name["name"]?.string else { return nil }
          return (name["kind"]?.string == "long" ? "--" : "-") + text
        }
        options.append(
          OptionShape(
            names: names.filter { $0.count == 2 } + names.filter { $0.count > 2 },
            takesValue: argument["kind"]?.string == "option",
            takesMany: isRepeating && (strategy == "upToNextOption" || strategy == "allRemainingInput"),
            isRequired: isRequired))
      }
    }
  }

  func option(named name: String) -> OptionShape? { options.first { $0.names.contains(name) } }

  var longNames: [String] { options.flatMap(\.names).filter { $0.hasPrefix("--") } }
}
