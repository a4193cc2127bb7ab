// What S3 says when something is wrong, and what becomes of it; against the server of the test run.
import CairnCore
import CairnServices
import CairnStore
import CairnSystem
import CairnTestSupport
import Testing

@Suite(.enabled(if: S3Engine.running != nil || Environment.value("CAIRN_CONFORMANCE") == "required"))
struct S3ClientTests {
  private func engine() throws -> S3Engine { try #require(S3Engine.running, "the S3 server is not up (Tests/Engines/s3-up.sh)") }

  private func failure(_ body: () throws -> Void) -> Diagnostic? {
    do { try body() } catch { return error as? Diagnostic }
    return nil
  }

  @Test("wrong keys, a wrong secret, a missing right and a missing bucket are said in words, with the next step")
  func refusals() throws {
    let engine = try engine()
    let wrong = AWSKeys(accessKeyID: engine.keys.accessKeyID, secretAccessKey: "wrong/secret")
    let secret = failure { _ = try S3Storage(try engine.client(keys: wrong), prefix: "").size(of: "a") }
    #expect(secret?.message.contains("(SignatureDoesNotMatch)") == true && secret?.hint?.contains("secret") == true, "\(secret as Any)")
    let nobody = AWSKeys(accessKeyID: "NOBODY", secretAccessKey: "x")
    let unknown = failure { _ = try S3Storage(try engine.client(keys: nobody), prefix: "").read("a", limit: 1) }
    #expect(unknown?.message.contains("(InvalidAccessKeyId)") == true, "\(unknown as Any)")
    let folder = try TemporaryFolder()
    try folder.write("f", "1")
    let reader = S3Storage(try engine.client(keys: engine.reader), prefix: "reader")
    let refused = failure { try reader.upload(folder("f"), to: "a", as: nil) { _ in } }
    #expect(refused?.message.contains("(AccessDenied)") == true && refused?.hint?.contains("may not do this") == true, "\(refused as Any)")
    let bucket = S3Storage(try engine.client(bucket: "no-such-bucket"), prefix: "")
    let missing = failure { try bucket.upload(folder("f"), to: "a", as: nil) { _ in } }
    #expect(missing?.message.contains("(NoSuchBucket)") == true && missing?.hint?.contains("make the bucket") == true, "\(missing as Any)")
    #expect(failure { _ = try bucket.read("a", limit: 1) }?.message.contains("does not exist") == true)
    for error in [secret, unknown, refused, missing] {
      let words = "\(error?.fullMessage ?? "") \(error?.hint ?? "")"
      #expect(!words.contains("wrong/secret") && !words.contains(engine.keys.secretAccessKey))
    }
  }

  @Test("a server that is not there is tried again, and then named")
  func dead() throws {
    let client = try engine().client(endpoint: "http://127.0.0.1:9", attempts: 3)
    let error = failure { _ = try S3Storage(client, prefix: "").size(of: "a") }
    #expect(error?.message == "Could not connect to the endpoint URL: \"http://127.0.0.1:9\"", "\(error as Any)")
    #expect(error?.fullMessage.contains("3 times") == true)
  }

  @Test("an upload in parts that was left goes on with the parts that are there")
  func resumed() throws {
    let engine = try engine()
    let client = try engine.client()
    let folder = try TemporaryFolder()
    let key = "left/" + AtomicFile.uniqueWord()
    let size = 96 << 20
    var bytes = [UInt8](repeating: 7, count: size)
    for index in stride(from: 0, to: size, by: 1 << 20) { bytes[index] = UInt8(truncatingIfNeeded: index >> 20) }
    try Files.write(bytes, to: folder("f"))
    var begin = S3Client.Call("POST", "CreateMultipartUpload", key: key, query: [.init("uploads")])
    begin.body = .bytes([])
    let upload = try #require(XMLElement(try client.send(begin).body)?["UploadId"]?.text)
    var part = S3Client.Call("PUT", "UploadPart", key: key, query: [.init("partNumber", "2"), .init("uploadId", upload)])
    part.body = .bytes(Array(bytes[(32 << 20)..<(64 << 20)]))
    _ = try client.send(part)
    let object = ContentHash(.md5, ContentHasher.md5(of: bytes))
    let transport = NotingTransport()
    try S3Storage(try engine.client(transport: transport), prefix: "").upload(folder("f"), to: key, as: object) { _ in }
    let sent = transport.requests.filter { $0.hasPrefix("PUT ") }
    #expect(sent.count == 2 && !sent.contains { $0.contains("partNumber=2&") }, "\(sent)")
    #expect(try S3Storage(client, prefix: "").size(of: key) == UInt64(size))
    let list = S3Client.Call("GET", "ListMultipartUploads", query: [.init("uploads"), .init("prefix", key)])
    #expect(XMLElement(try client.send(list).body)?.all("Upload").isEmpty == true)
  }
}
