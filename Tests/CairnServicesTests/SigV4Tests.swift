// Signatures, held against those that botocore makes of the same requests.
import CairnCore
@testable import CairnServices
import Testing

struct SigV4Tests {
  private static let keys = AWSKeys(
    accessKeyID: "AKIDEXAMPLE", secretAccessKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")
  private static let hello = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"
  private static let time = "20260102T030405Z"

  struct Vector: Sendable {
    var method: String
    var path: String
    var query: [HTTPTarget.Item] = []
    var headers: [(String, String)] = []
    var payload = SigV4.emptyPayload
    var token: String?
    var canonical: String
    var signature: String
  }

  static let vectors = [
    Vector(
      method: "GET", path: "/cairn-test",
      query: [
        .init("list-type", "2"), .init("prefix", "pre/fix/files/md5/00/0"), .init("delimiter"), .init("max-keys", "1000"),
        .init("encoding-type", "url"),
      ],
      canonical: "c65e4bc3c8f400c94b60d4b748991d656403f9f0ee0b6165821a0cdcd2dc5819",
      signature: "a85f049f70447f17e2983d99f07dc7517f828c837e9e369ccaf036d30fba8c14"),
    Vector(
      method: "PUT", path: "/cairn-test/files/md5/5d/41402abc4b2a76b9719d911017c592",
      headers: [
        ("If-None-Match", "*"), ("x-amz-checksum-crc32", "NhCmhg=="), ("x-amz-sdk-checksum-algorithm", "CRC32"),
      ], payload: hello, canonical: "4e4f80668285e4290e06b21ab7c3347fb1e16a97bd20763074400459727332de",
      signature: "0c86cc82834b74fe6d712aa29b0f189dffaf90a6085139da3d62d7fab5437408"),
    Vector(
      method: "PUT", path: "/cairn-test/a b/ä+%.txt", headers: [("x-amz-meta-note", " two  blanks ")], payload: hello,
      token: "FwoGZXIvYXdzEXAMPLE//token+==",
      canonical: "ba4fad9940d210913890d0ada8e18ab9b58413861f3e38e24d2ad1155e8060fb",
      signature: "b810f0d589a743b3908ad4d0fa26c840e59fcc98f3c0b9b9cb856f2c7103ebc5"),
    Vector(
      method: "PUT", path: "/cairn-test/u", payload: SigV4.unsignedPayload,
      canonical: "dc56e0d92b6337c5e24c4b3fb2ab6259cdf8dbccca151e3c0e7206458d2ea9e6",
      signature: "76a7c9ef6b4a5b1a0346ab15891efeaa68178d19024721c3279458b1a188a283"),
    Vector(
      method: "DELETE", path: "/cairn-test/a//b/../c", query: [.init("versionId", "x")],
      canonical: "d54fe0d1a2d685f058ba0ae5010bfe848f0ea8c18d6a6ce7455a75aaabefaae6",
      signature: "a0e8f0388f89e5a75a954809c61fb29ec0f661dbec77435d08479086d5d6c078"),
  ]

  @Test("a request to S3 is signed as botocore signs it", arguments: 0..<5)
  func vector(number: Int) {
    let vector = Self.vectors[number]
    let target = HTTPTarget(scheme: "http", host: "127.0.0.1", port: 8333, path: vector.path, query: vector.query)
    var request = HTTPRequest(vector.method, target.url)
    for (name, value) in vector.headers { request.headers[name] = value }
    var keys = Self.keys
    keys.sessionToken = vector.token
    let signer = SigV4(region: "us-east-1", service: "s3")
    signer.sign(&request, target, keys: keys, payload: vector.payload, time: Self.time)
    let (canonical, _) = signer.canonicalRequest(request, target, vector.payload)
    #expect(PayloadHash.sha256(Array(canonical.utf8)) == vector.canonical, "\(canonical)")
    #expect(request.headers["Authorization"]?.hasSuffix("Signature=" + vector.signature) == true)
  }

  @Test("the key of a day, a region and a service is the one that botocore derives")
  func key() {
    let key = SigV4(region: "us-east-1", service: "s3").signingKey(Self.keys, "20260102")
    #expect(Hex.encode(key) == "800caa73b73676f285e7d2e8c7fcb1e6f8815b32c9950c0f621c2e2cacf3885e")
  }

  /// - Source: signatures of the plugin `sagemaker-mlflow` 0.5.0 with a clock that stands still.
  @Test(
    "a request to MLflow on SageMaker is signed as its plugin signs it",
    arguments: [
      (
        "arn:aws:sagemaker:us-east-1:111122223333:mlflow-app/app-ABCDEF123456", "POST", "/api/2.0/mlflow/runs/create",
        #"{"experiment_id":"1","start_time":1700000000000}"#, nil as String?,
        "66914e5e57f6b57637e4b275725816b5bc58c91998d6a0aa1482fe9b9dfe38c5"
      ),
      (
        "arn:aws:sagemaker:us-east-1:111122223333:mlflow-tracking-server/ts", "GET",
        "/api/2.0/mlflow/experiments/get-by-name", "", "TOKEN/+=",
        "df7b3964a4b95570827d8931bf47d7b44fbb21e1b89f5b08d9f43892b9eec36d"
      ),
    ])
  func sageMaker(arn: String, method: String, path: String, body: String, token: String?, signature: String) throws {
    let server = try SageMakerARN(arn)
    var target = try #require(HTTPTarget(server.endpoint))
    target.path = path
    if method == "GET" { target.query = [.init("experiment_name", "cairn demo/x")] }
    var request = HTTPRequest(method, target.url)
    let payload = body.isEmpty ? SigV4.emptyPayload : PayloadHash.sha256(Array(body.utf8))
    request.headers["Accept"] = "*/*"
    request.headers["Accept-Encoding"] = "identity"
    if !body.isEmpty { request.headers["Content-Length"] = String(body.utf8.count) }
    request.headers["Content-Type"] = "application/json"
    request.headers[server.headerName] = arn
    request.headers["x-amz-content-sha256"] = payload
    var keys = Self.keys
    keys.sessionToken = token
    SigV4(region: server.region, service: server.service).sign(
      &request, target, keys: keys, payload: payload, time: Self.time, signing: .all)
    #expect(request.headers["Authorization"]?.hasSuffix("Signature=" + signature) == true, "\(request.headers)")
  }

  @Test(
    "what is no ARN of an MLflow server is refused",
    arguments: [
      "arn:aws:s3:::bucket", "arn:aws:sagemaker:us-east-1:1:endpoint/x", "arn:aws-cn:sagemaker:cn-north-1:1:mlflow-app/x", "arn:",
      "arn:aws:sagemaker::1:mlflow-app/x",
    ])
  func wrongARN(text: String) { #expect(throws: Diagnostic.self) { try SageMakerARN(text) } }
}
