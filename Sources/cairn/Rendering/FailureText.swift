// How a run failed, in a line.
internal import CairnCore
internal import CairnLineage

enum FailureText {
  /// The first line of how it failed, without the command, which is known.
  static func line(_ record: RunRecord) -> String? {
    guard let line = record.error?.message.split(separator: "\n").first else { return nil }
    for command in record.stage.cmd {
      let prefix = "failed to run: \(command), "
      if line.hasPrefix(prefix) { return String(line.dropFirst(prefix.count)) }
    }
    return String(line.drop { $0 == " " })
  }
}
