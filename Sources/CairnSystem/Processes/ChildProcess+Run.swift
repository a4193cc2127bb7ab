// Runs a short tool to its end and gives what it printed. Knows nothing of the tool.
import CSystem
package import CairnCore
import Glibc

extension ChildProcess {
  package struct Result: Sendable {
    package var exit: Exit
    package var output: [UInt8]
    package var error: [UInt8]

    package var text: String { String(decoding: output, as: UTF8.self) }
    package var errorText: String { String(decoding: error, as: UTF8.self) }
  }

  /// Waits for the process and for the end of both its streams, blocking this thread: for tools that take
  /// milliseconds, and never on a Dispatch worker that others need.
  ///
  /// `limit` bytes of output are kept; a child that writes more is killed and `exit.signal` is SIGKILL.
  package static func run(
    _ argv: [String], folder: String? = nil, environment: ChildEnvironment? = nil, input: [UInt8] = [],
    limit: Int = .max
  ) throws(Diagnostic) -> Result {
    let streams = try Streams(argv.first ?? "", hasInput: !input.isEmpty)
    let pid: Int32
    do throws(Diagnostic) {
      pid = try Spawn.start(
        argv, folder: folder, environment: environment, descriptors: streams.descriptors, ownGroup: false)
    } catch {
      streams.closeAll()
      throw error
    }
    streams.closeChildEnds()
    let (output, error) = streams.exchange(input, limit: limit) { kill(pid, SIGKILL) }
    var raw = cairn_exit()
    let reaped = cairn_reap(pid, 1, &raw)
    if reaped < 0 { throw Diagnostic.system(-reaped, "wait for it", argv.first ?? "") }
    return Result(exit: Exit(raw), output: output, error: error)
  }
}

/// Three pipes, read and written at once so that neither side can block the other.
private struct Streams {
  var descriptors = ChildDescriptors()
  private var input: Int32 = -1
  private var output: Int32 = -1
  private var error: Int32 = -1

  init(_ name: String, hasInput: Bool) throws(Diagnostic) {
    StandardDescriptors.fill()
    var result = cairn_pipe(&output, &descriptors.output, 1)
    if result >= 0 { result = cairn_pipe(&error, &descriptors.error, 1) }
    if hasInput {
      if result >= 0 { result = cairn_pipe(&descriptors.input, &input, 0) }
      if result >= 0 { result = restarting(fcntl(input, F_SETFL, O_WRONLY | O_NONBLOCK)) }
    } else {
      descriptors.input = NullDevice.reading
    }
    if result < 0 {
      closeAll()
      throw Diagnostic.system(-result, "make a pipe", name)
    }
  }

  func closeChildEnds() {
    if descriptors.input >= 0, descriptors.input != NullDevice.reading { close(descriptors.input) }
    if descriptors.output >= 0 { close(descriptors.output) }
    if descriptors.error >= 0 { close(descriptors.error) }
  }

  func closeAll() {
    closeChildEnds()
    for descriptor in [input, output, error] where descriptor >= 0 { close(descriptor) }
  }

  /// Until both streams have ended; closes our ends.
  func exchange(_ bytes: [UInt8], limit: Int, exceeded: () -> Void) -> ([UInt8], [UInt8]) {
    var texts: [[UInt8]] = [[], []]
    var open = [output, error]
    var input = input
    var sent = 0
    while open.contains(where: { $0 >= 0 }) {
      var polls = [
        pollfd(fd: open[0], events: Int16(POLLIN), revents: 0), pollfd(fd: open[1], events: Int16(POLLIN), revents: 0),
        pollfd(fd: input, events: Int16(POLLOUT), revents: 0),
      ]
      if poll(&polls, 3, -1) < 0 { if errno == EINTR { continue } else { break } }
      for index in 0...1 where polls[index].revents != 0 {
        if Self.append(open[index], &texts[index]) {
          if texts[index].count > limit {
            texts[index].removeLast(texts[index].count - limit)
            exceeded()
            close(open[index])
            open[index] = -1
          }
        } else {
          close(open[index])
          open[index] = -1
        }
      }
      if input >= 0, polls[2].revents != 0 {
        let count = bytes[sent...].withUnsafeBytes { cairn_write_quietly(input, $0.baseAddress, $0.count) }
        if count > 0 { sent += count }
        if sent == bytes.count || (count < 0 && count != -Int(EAGAIN)) {
          close(input)
          input = -1
        }
      }
    }
    for descriptor in open + [input] where descriptor >= 0 { close(descriptor) }
    return (texts[0], texts[1])
  }

  /// False at the end of the stream.
  private static func append(_ descriptor: Int32, _ text: inout [UInt8]) -> Bool {
    var chunk = [UInt8](repeating: 0, count: 64 * 1024)
    let got = Glibc.read(descriptor, &chunk, chunk.count)
    if got > 0 { text.append(contentsOf: chunk[..<got]) }
    return got > 0 || (got < 0 && (errno == EAGAIN || errno == EINTR))
  }
}
