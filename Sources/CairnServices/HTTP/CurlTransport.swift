// HTTP by the system's libcurl: connections are kept and used again, proxies and authorities are the machine's. Knows no
// service.
import CHTTP
import CairnCore
import CairnSystem
import Glibc
import Synchronization

package final class CurlTransport: HTTPTransport {
  /// Handles that are idle, each with its connections.
  private let idle = Mutex<[Handle]>([])

  package init() {}

  deinit { for handle in idle.withLock({ $0 }) { cairn_http_free(handle.pointer) } }

  private struct Handle: @unchecked Sendable { let pointer: UnsafeMutableRawPointer }

  package func send(
    _ request: HTTPRequest, to sink: (any HTTPSink)?, sent: ((Int) -> Void)?
  ) throws(HTTPFailure) -> HTTPResponse {
    if let words = cairn_http_load() {
      throw HTTPFailure(.library, String(cString: words) + " (on Debian and Ubuntu: apt-get install libcurl4)")
    }
    guard let handle = idle.withLock({ $0.popLast() }) ?? cairn_http_new().map(Handle.init) else {
      throw HTTPFailure(.library, "there is no memory for a connection")
    }
    cairn_http_reset(handle.pointer)
    defer { idle.withLock { $0.append(handle) } }
    let exchange = try Exchange(request, sink, sent)
    defer { exchange.end() }
    let headers = try configure(handle.pointer, request, exchange)
    defer { cairn_http_free_list(headers) }
    let code = withExtendedLifetime(exchange) { cairn_http_perform(handle.pointer) }
    var status = 0
    cairn_http_get_number(handle.pointer, Information.status, &status)
    if code != 0 {
      if let failure = exchange.failure { throw failure }
      // Whoever took the body did not want it.
      if exchange.isUnwanted { return HTTPResponse(status: status, headers: exchange.headers, body: exchange.body) }
      throw HTTPFailure(Self.kind(code), String(cString: cairn_http_words(code)))
    }
    return HTTPResponse(status: status, headers: exchange.headers, body: exchange.body)
  }

  private func configure(
    _ handle: UnsafeMutableRawPointer, _ request: HTTPRequest, _ exchange: Exchange
  ) throws(HTTPFailure) -> UnsafeMutableRawPointer? {
    let context = Unmanaged.passUnretained(exchange).toOpaque()
    cairn_http_set_text(handle, Option.url, request.url)
    cairn_http_set_number(handle, Option.noSignal, 1)
    // HTTP and HTTPS alone, whatever an address says.
    cairn_http_set_number(handle, Option.protocols, 3)
    cairn_http_set_number(handle, Option.pathAsIs, 1)
    cairn_http_set_number(handle, Option.httpVersion, 2)
    cairn_http_set_number(handle, Option.connectTimeout, request.connectTimeout)
    cairn_http_set_number(handle, Option.slowBytes, 1)
    cairn_http_set_number(handle, Option.slowSeconds, request.stallTimeout)
    // Made anew for each request: larger ones are mapped and cleared by the kernel every time.
    cairn_http_set_number(handle, Option.bufferSize, 64 << 10)
    cairn_http_set_number(handle, Option.uploadBufferSize, 64 << 10)
    cairn_http_set_text(handle, Option.userAgent, "cairn/" + CairnVersion.current)
    switch request.trust {
    case .system: break
    case .authorities(let path): cairn_http_set_text(handle, Option.authorities, path)
    case .anyone:
      cairn_http_set_number(handle, Option.verifyPeer, 0)
      cairn_http_set_number(handle, Option.verifyHost, 0)
    }
    if let path = request.clientCertificate { cairn_http_set_text(handle, Option.certificate, path) }
    cairn_http_set_data_function(handle, Option.writeFunction) { buffer, size, count, context in
      Exchange.of(context).received(UnsafeRawBufferPointer(start: buffer, count: size * count))
    }
    cairn_http_set_pointer(handle, Option.writeContext, context)
    cairn_http_set_data_function(handle, Option.headerFunction) { buffer, size, count, context in
      Exchange.of(context).header(UnsafeRawBufferPointer(start: buffer, count: size * count))
    }
    cairn_http_set_pointer(handle, Option.headerContext, context)
    switch (request.method, request.body) {
    case ("HEAD", _): cairn_http_set_number(handle, Option.noBody, 1)
    case ("GET", .none): cairn_http_set_number(handle, Option.get, 1)
    case (let method, .none) where method == "DELETE":
      cairn_http_set_number(handle, Option.get, 1)
      cairn_http_set_text(handle, Option.method, method)
    case (let method, let body):
      cairn_http_set_number(handle, Option.upload, 1)
      cairn_http_set_text(handle, Option.method, method)
      cairn_http_set_size(handle, Option.uploadSize, Int64(body.count))
      cairn_http_set_data_function(handle, Option.readFunction) { buffer, size, count, context in
        Exchange.of(context).give(UnsafeMutableRawBufferPointer(start: buffer, count: size * count))
      }
      cairn_http_set_pointer(handle, Option.readContext, context)
      cairn_http_set_seek_function(handle, Option.seekFunction) { context, offset, _ in
        Exchange.of(context).seek(offset)
        return 0
      }
      cairn_http_set_pointer(handle, Option.seekContext, context)
    }
    var list: UnsafeMutableRawPointer?
    // libcurl adds a few of its own; one without a value takes its own away.
    for header in request.headers.all + [HTTPHeader("Accept-Encoding", "identity")] {
      guard !header.name.utf8.contains(where: Self.breaksLine), !header.value.utf8.contains(where: Self.breaksLine) else {
        cairn_http_free_list(list)
        throw HTTPFailure(.local, "the header \(header.name.prefix(40)) has an end of line in it")
      }
      list = cairn_http_append(list, header.value.isEmpty ? header.name + ";" : header.name + ": " + header.value)
    }
    cairn_http_set_pointer(handle, Option.headers, list)
    return list
  }

  private static func breaksLine(_ byte: UInt8) -> Bool { byte == 0x0A || byte == 0x0D || byte == 0 }

  /// - Source: libcurl-errors(3).
  private static func kind(_ code: Int32) -> HTTPFailure.Kind {
    switch code {
    case 5, 6: .unknownHost
    case 7: .noConnection
    case 28: .timeout
    case 35, 51, 53, 54, 58, 59, 60, 64, 66, 77, 80, 82, 83, 90, 91: .untrusted
    case 18, 52, 55, 56, 16, 92, 95: .reset
    case 23, 26, 42: .local
    default: .library
    }
  }

  /// - Source: curl_easy_setopt(3): the numbers are a part of libcurl's binary interface.
  private enum Option {
    static let writeContext: Int32 = 10001
    static let url: Int32 = 10002
    static let readContext: Int32 = 10009
    static let writeFunction: Int32 = 20011
    static let readFunction: Int32 = 20012
    static let userAgent: Int32 = 10018
    static let slowBytes: Int32 = 19
    static let slowSeconds: Int32 = 20
    static let headers: Int32 = 10023
    static let certificate: Int32 = 10025
    static let headerContext: Int32 = 10029
    static let method: Int32 = 10036
    static let noBody: Int32 = 44
    static let upload: Int32 = 46
    static let verifyPeer: Int32 = 64
    static let authorities: Int32 = 10065
    static let connectTimeout: Int32 = 78
    static let headerFunction: Int32 = 20079
    static let get: Int32 = 80
    static let verifyHost: Int32 = 81
    static let httpVersion: Int32 = 84
    static let bufferSize: Int32 = 98
    static let noSignal: Int32 = 99
    static let uploadSize: Int32 = 30115
    static let seekFunction: Int32 = 20167
    static let seekContext: Int32 = 10168
    static let protocols: Int32 = 181
    static let pathAsIs: Int32 = 234
    static let uploadBufferSize: Int32 = 280
  }

  private enum Information {
    static let status: Int32 = 0x200002
  }
}

/// What the callbacks of one request share; all of them come on the thread that sends it.
private final class Exchange {
  private(set) var headers = HTTPHeaders()
  private(set) var body: [UInt8] = []
  private(set) var failure: HTTPFailure?
  /// The sink refused the body.
  private(set) var isUnwanted = false
  private var status = 0
  private var hasBegun = false
  private let source: HTTPBody
  private let sink: (any HTTPSink)?
  private let sent: ((Int) -> Void)?
  private var descriptor: Int32 = -1
  private var given: UInt64 = 0

  /// An answer that nobody takes piece by piece may have so many bytes.
  private static let mostBytes = 64 << 20

  init(_ request: HTTPRequest, _ sink: (any HTTPSink)?, _ sent: ((Int) -> Void)?) throws(HTTPFailure) {
    source = request.body
    self.sink = sink
    self.sent = sent
    if case .file(let path, _, _) = request.body {
      descriptor = path.asSystemPath { open($0, O_RDONLY | O_CLOEXEC) }
      if descriptor < 0 { throw HTTPFailure(.local, "'\(path)' cannot be read: " + String(cString: strerror(errno))) }
    }
  }

  func end() {
    if descriptor >= 0 { close(descriptor) }
    descriptor = -1
  }

  static func of(_ context: UnsafeMutableRawPointer?) -> Exchange {
    Unmanaged<Exchange>.fromOpaque(context!).takeUnretainedValue()
  }

  /// One line of a header. Each answer begins with its status, one that only says "go on", too.
  func header(_ line: UnsafeRawBufferPointer) -> Int {
    if line.starts(with: Self.statusMark) {
      headers = HTTPHeaders()
      body = []
      hasBegun = false
      // "HTTP/1.1 200 OK".
      status = 0
      for byte in line.drop(while: { $0 != 0x20 }).dropFirst().prefix(while: { (0x30...0x39).contains($0) }) {
        status = status * 10 + Int(byte - 0x30)
      }
    } else if let colon = line.firstIndex(of: UInt8(ascii: ":")) {
      headers.append(HTTPHeader(Self.trimmed(line[..<colon]), Self.trimmed(line[(colon + 1)...])))
    }
    return line.count
  }

  private static let statusMark = Array("HTTP/".utf8)

  private static func trimmed(_ bytes: Slice<UnsafeRawBufferPointer>) -> String {
    var (start, end) = (bytes.startIndex, bytes.endIndex)
    while start < end, bytes[start] <= 0x20 { start += 1 }
    while end > start, bytes[end - 1] <= 0x20 { end -= 1 }
    return String(decoding: UnsafeRawBufferPointer(rebasing: bytes.base[start..<end]), as: UTF8.self)
  }

  /// Fewer bytes than came: the exchange is given up.
  func received(_ bytes: UnsafeRawBufferPointer) -> Int {
    guard let sink, (200..<300).contains(status) else {
      guard body.count + bytes.count <= Self.mostBytes else {
        failure = HTTPFailure(.local, "the answer has more than \(Self.mostBytes >> 20) MiB")
        return 0
      }
      body.append(contentsOf: bytes)
      return bytes.count
    }
    if !hasBegun {
      hasBegun = true
      guard sink.begin(status, headers) else { return unwanted() }
    }
    return sink.receive(bytes) ? bytes.count : unwanted()
  }

  private func unwanted() -> Int {
    isUnwanted = true
    return 0
  }

  /// Fills the buffer; 0 at the end, 0x10000000 to give up.
  func give(_ buffer: UnsafeMutableRawBufferPointer) -> Int {
    let count: Int
    switch source {
    case .none: return 0
    case .bytes(let bytes):
      count = min(buffer.count, bytes.count - Int(given))
      if count > 0 {
        bytes.withUnsafeBytes { buffer.copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[Int(given)..<Int(given) + count])) }
      }
    case .file(let path, let offset, let total):
      let wanted = min(UInt64(buffer.count), total - given)
      if wanted == 0 { return 0 }
      count = restarting { pread(descriptor, buffer.baseAddress, Int(wanted), off_t(offset + given)) }
      if count <= 0 {
        let why = count == 0 ? "it became shorter" : String(cString: strerror(errno))
        failure = HTTPFailure(.local, "'\(path)' cannot be read: \(why)")
        return 0x1000_0000
      }
    }
    given += UInt64(count)
    sent?(count)
    return count
  }

  private func restarting(_ call: () -> Int) -> Int {
    while true {
      let result = call()
      if result < 0, errno == EINTR { continue }
      return result
    }
  }

  func seek(_ offset: Int64) {
    sent?(Int(offset) - Int(given))
    given = UInt64(max(0, offset))
  }
}
