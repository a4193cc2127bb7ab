// Which scripts a shell command runs, as far as reading it goes. Runs nothing, and knows nothing of files.
import CairnCore

struct CommandScript: Equatable {
  /// Under which it may lie, seen from where the command starts.
  var names: [String]
}

enum CommandScripts {
  /// Programs that run the script that they are given.
  private static let interpreters: Set<String> = [
    "python", "python2", "python3", "pypy3", "ipython", "bash", "sh", "zsh", "dash", "ksh", "fish", "Rscript", "R",
    "julia", "node", "deno", "bun", "perl", "ruby", "php", "lua", "octave", "papermill", "jupyter", "torchrun",
    "accelerate", "deepspeed", "streamlit", "go", "source", ".",
  ]
  private static let shells: Set<String> = ["bash", "sh", "zsh", "dash", "ksh", "fish"]
  /// Programs that run the program that they are given.
  private static let wrappers: Set<String> = [
    "time", "nohup", "env", "nice", "ionice", "exec", "command", "sudo", "stdbuf", "timeout", "xargs", "uv", "uvx",
    "poetry", "pipenv", "pdm", "hatch", "rye", "pixi", "conda", "mamba", "micromamba", "srun", "mpirun", "mpiexec",
    "xvfb-run", "coverage", "if", "then", "else", "elif", "while", "until", "do", "!", "{",
  ]
  private static let extensions: Set<String> = [
    "py", "sh", "bash", "r", "R", "jl", "ipynb", "js", "mjs", "ts", "pl", "rb", "php", "lua", "m", "go",
  ]

  /// Where in a command a word stands.
  private enum Place {
    /// The next word is a program, or a variable's value before one.
    case program
    /// Somewhere behind `time`, `uv run` and the like: a program may follow.
    case wrapped
    /// Behind an interpreter, before its script.
    case interpreter(String)
    /// Behind `-m`.
    case module
    /// What follows names no script.
    case arguments
    /// Behind `cd`.
    case directory
  }

  static func scripts(in command: String) -> [CommandScript] {
    var found: [CommandScript] = []
    var place = Place.program
    var folder = ""
    func add(_ names: String...) {
      found.append(CommandScript(names: names.map { $0.hasPrefix("/") || folder.isEmpty ? $0 : folder + "/" + $0 }))
      place = .arguments
    }
    for word in ShellWords.words(command) {
      let text = word.text
      if word.endsCommand {
        place = .program
        continue
      }
      switch place {
      case .arguments: break
      case .directory:
        // Where it leads to is not known.
        if text.contains("$") || text.hasPrefix("-") { return found }
        folder = text.hasPrefix("/") || folder.isEmpty ? text : folder + "/" + text
        place = .arguments
      case .module:
        let path = text.replacing(".", with: "/")
        add(path + ".py", path + "/__main__.py", "src/" + path + ".py")
      case .interpreter(let program):
        if text == "-m" {
          place = .module
        } else if shells.contains(program) ? isShellWithoutScript(text) : text == "-c" || text == "-e" {
          place = .arguments
        } else if !text.hasPrefix("-"), extensions.contains(fileExtension(text)) {
          add(text)
        }
      case .program, .wrapped:
        if isAssignment(text) { continue }
        let program = String(text.split(separator: "/").last ?? "")
        if interpreters.contains(program) || isPython(program) {
          place = .interpreter(program)
        } else if program == "cd" {
          place = .directory
        } else if wrappers.contains(program) {
          place = .wrapped
        } else if case .wrapped = place {
          // Options and values of the wrapper are passed over.
          if !text.hasPrefix("-"), extensions.contains(fileExtension(text)) { add(text) }
        } else if text.contains("/") || extensions.contains(fileExtension(text)) {
          add(text)
        } else {
          place = .arguments
        }
      }
    }
    return found
  }

  /// `-c`, also among others: what follows is the command itself. With `-n` nothing is run. (`-e` ends a shell at the
  /// first failure; `-o NAME` is no file's name.)
  private static func isShellWithoutScript(_ option: String) -> Bool {
    option.hasPrefix("-") && !option.hasPrefix("--") && option.contains { $0 == "c" || $0 == "n" }
  }

  /// `NAME=value`.
  private static func isAssignment(_ text: String) -> Bool {
    guard let equals = text.firstIndex(of: "="), equals != text.startIndex else { return false }
    return text[..<equals].allSatisfy { $0.isLetter || $0.isNumber || $0 == "_" }
  }

  /// `python3.11`.
  private static func isPython(_ name: String) -> Bool {
    name.hasPrefix("python3.") && name.dropFirst(8).allSatisfy(\.isNumber)
  }

  private static func fileExtension(_ name: String) -> String {
    guard let dot = name.lastIndex(of: "."), dot != name.startIndex else { return "" }
    return String(name[name.index(after: dot)...])
  }
}
