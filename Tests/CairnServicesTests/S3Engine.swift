// The S3 server that the test run brought up (Tests/Engines/s3-up.sh), as tests are told of it.
import CairnCore
import CairnServices
import CairnSystem
import Synchronization
import Testing

/// `CAIRN_TEST_S3`: endpoint, bucket, key and secret, then key and secret of somebody who may only read.
struct S3Engine: Sendable {
  var endpoint: String
  var bucket: String
  var keys: AWSKeys
  var reader: AWSKeys

  static let running: S3Engine? = {
    let words = Environment.value("CAIRN_TEST_S3")?.split(separator: " ").map(String.init) ?? []
    guard words.count >= 6 else { return nil }
    return S3Engine(
      endpoint: words[0], bucket: words[1], keys: AWSKeys(accessKeyID: words[2], secretAccessKey: words[3]),
      reader: AWSKeys(accessKeyID: words[4], secretAccessKey: words[5]))
  }()

  /// Nothing of the machine's own counts.
  static let nowhere = AWSSurroundings(variable: { _ in nil }, file: { _ in nil })

  func client(
    keys: AWSKeys? = nil, bucket: String? = nil, endpoint: String? = nil, attempts: Int = 5,
    transport: any HTTPTransport = CurlTransport()
  ) throws -> S3Client {
    let address = try S3Address(
      bucket: bucket ?? self.bucket, endpoint: endpoint ?? self.endpoint, region: "us-east-1", style: nil, usesTLS: true)
    let configuration = try AWSConfiguration(Self.nowhere)
    var policy = RetryPolicy()
    policy.attempts = attempts
    policy.base = 0.01
    policy.throttledBase = 0.02
    return S3Client(
      address, AWSCredentialChain(configuration, explicit: keys ?? self.keys, transport: transport), transport: transport,
      connectTimeout: 2, stallTimeout: 5, policy: policy)
  }
}

/// The real transport, which keeps what was asked.
final class NotingTransport: HTTPTransport {
  private let real = CurlTransport()
  private let noted = Mutex<[String]>([])

  /// Method and URL of each request.
  var requests: [String] { noted.withLock { $0 } }

  func send(_ request: HTTPRequest, to sink: (any HTTPSink)?, sent: ((Int) -> Void)?) throws(HTTPFailure) -> HTTPResponse {
    noted.withLock { $0.append(request.method + " " + request.url) }
    return try real.send(request, to: sink, sent: sent)
  }
}
