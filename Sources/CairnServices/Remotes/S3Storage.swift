// A bucket, or a part of one, as a remote. Knows keys and bytes; the protocol is S3Client's.
package import CairnCore
import CairnFormats
package import CairnStore
import CairnSystem
import Glibc

package struct S3Storage: RemoteStorage {
  let client: S3Client
  /// Empty, or without a slash at its end.
  let prefix: String
  /// Of every object that is written: encryption, access.
  let headers: HTTPHeaders
  /// Of every request that concerns an object's bytes: a key of somebody's own that they are encrypted with.
  let keyHeaders: HTTPHeaders
  package let jobs: Int
  package let place: String

  /// Larger files go in parts.
  static let partThreshold: UInt64 = 64 << 20

  /// - Parameters:
  ///   - headers: of every object that is written.
  ///   - keyHeaders: of every object that is written, read or looked at.
  package init(
    _ client: S3Client, prefix: String, writing headers: HTTPHeaders = [:], encryptedBy keyHeaders: HTTPHeaders = [:],
    jobs: Int? = nil
  ) {
    self.client = client
    self.prefix = prefix
    self.keyHeaders = keyHeaders
    self.headers = headers.merging(keyHeaders)
    self.jobs = jobs ?? 4 * Machine.processorCount()
    place = "s3://" + client.bucket + (prefix.isEmpty ? "" : "/" + prefix)
  }

  package var pageSize: Int? { 1000 }

  func full(_ key: String) -> String { prefix.isEmpty ? key : prefix + "/" + key }

  // MARK: Looking

  package func size(of key: String) throws(Diagnostic) -> UInt64? {
    try head(key).map { $0.headers["Content-Length"].flatMap { UInt64($0) } ?? 0 }
  }

  /// The answer about an object, or one version of it; `nil` when it is not there.
  func head(_ key: String, version: String? = nil) throws(Diagnostic) -> HTTPResponse? {
    var call = S3Client.Call("HEAD", "HeadObject", key: full(key), query: Self.query(version))
    call.headers = keyHeaders
    call.accepted = version == nil ? [404] : [404, 405]
    let answer = try client.send(call)
    if answer.status == 404, try !client.hasBucket() { throw noBucket() }
    return answer.isSuccess ? answer : nil
  }

  private static func query(_ version: String?) -> [HTTPTarget.Item] {
    version.map { [HTTPTarget.Item("versionId", $0)] } ?? []
  }

  package func list(_ prefix: String, _ use: ([RemoteFile]) throws(Diagnostic) -> Bool) throws(Diagnostic) {
    var token: String?
    let skipped = self.prefix.isEmpty ? 0 : self.prefix.utf8.count + 1
    repeat {
      var call = S3Client.Call("GET", "ListObjectsV2")
      call.query = [
        .init("list-type", "2"), .init("prefix", full(prefix)), .init("max-keys", "1000"), .init("encoding-type", "url"),
      ]
      if let token { call.query.append(.init("continuation-token", token)) }
      let answer = try client.send(call)
      guard let page = XMLElement(answer.body), page.name == "ListBucketResult" else {
        throw Diagnostic(.remote, "what \(place) answers to a listing is none")
      }
      let isEncoded = page["EncodingType"]?.text == "url"
      var files: [RemoteFile] = []
      for content in page.children where content.name == "Contents" {
        guard let text = content["Key"]?.text, let key = isEncoded ? URLEncoding.decodeForm(text) : text else { continue }
        let inside = String(decoding: key.utf8.dropFirst(skipped), as: UTF8.self)
        files.append(RemoteFile(key: inside, size: content["Size"].flatMap { UInt64($0.text) } ?? 0))
      }
      if !files.isEmpty, try !use(files) { return }
      let next = page["IsTruncated"]?.text == "true" ? page["NextContinuationToken"]?.text : nil
      // A server that gives the same token again would never end.
      if next != nil, next == token { throw Diagnostic(.remote, "the listing of \(place) does not end") }
      token = next
    } while token != nil
  }

  // MARK: Bringing

  package func read(_ key: String, limit: Int) throws(Diagnostic) -> [UInt8]? {
    let sink = MemorySink(limit: limit)
    guard try get(key, nil, sink) else { return nil }
    return sink.bytes
  }

  package func download(
    _ key: String, to path: String, _ kinds: DigestKinds, _ report: @escaping ByteReport
  ) throws(Diagnostic) -> Digests? {
    try hashed(key, nil, FileSink(path, kinds, report))
  }

  package func digests(
    of key: String, _ kinds: DigestKinds, _ report: @escaping ByteReport
  ) throws(Diagnostic) -> Digests? {
    try hashed(key, nil, FileSink(nil, kinds, report))
  }

  func hashed(_ key: String, _ version: String?, _ sink: FileSink) throws(Diagnostic) -> Digests? {
    do throws(Diagnostic) {
      guard try get(key, version, sink) else {
        sink.giveUp()
        return nil
      }
      return try sink.finish()
    } catch {
      sink.giveUp(keepsPart: error.code == .remote)
      throw error
    }
  }

  /// Gets the object, and goes on where it broke off.
  ///
  /// - Returns: false when it is not there.
  private func get(_ key: String, _ id: String?, _ sink: any ResumableSink) throws(Diagnostic) -> Bool {
    var call = S3Client.Call("GET", "GetObject", key: full(key), query: Self.query(id))
    call.headers = keyHeaders
    call.accepted = [404, 416]
    if id != nil { call.acceptedErrors = Self.noVersion }
    var version: String?
    let answer = try client.send(call, prepare: { () throws(Diagnostic) -> (HTTPHeaders, (any HTTPSink)?) in
      if let failure = sink.failure { throw failure }
      version = version ?? sink.version
      guard sink.received > 0, version != nil || sink.isUnnamed else {
        sink.restart()
        return ([:], sink)
      }
      var headers: HTTPHeaders = ["Range": "bytes=\(sink.received)-"]
      // Only of the very bytes that have come in part.
      headers["If-Match"] = version
      return (headers, sink)
    })
    if let failure = sink.failure { throw failure }
    switch answer.status {
    case 404:
      // Of a bucket that is not there the objects are not there either, and nobody would say why.
      if let error = S3Error(answer), error.code == "NoSuchBucket" { throw noBucket() }
      return false
    case 416: return true
    case 400...499:
      // The same words are for an object whose key of encryption was not given: that fails without a version, too.
      if S3Error(answer)?.code == Self.badRequest { _ = try head(key) }
      return false
    default:
      if let whole = sink.expected, whole != sink.received {
        throw Diagnostic(.remote, "'\(name(of: key))' came in part: \(sink.received) of \(whole) bytes")
      }
      return true
    }
  }

  /// How servers say that there is no such version: an id of another one's making is a bad argument to some, and a mark of
  /// deletion is not to be read.
  static let noVersion: Set<String> = ["NoSuchVersion", "InvalidArgument", "MethodNotAllowed", badRequest]
  static let badRequest = "InvalidRequest"

  private func noBucket() -> Diagnostic {
    Diagnostic(.remote, "the bucket '\(client.bucket)' does not exist").hinting(S3Error.hint("NoSuchBucket", bucket: client.bucket, source: nil) ?? "")
  }

  // MARK: Sending

  package func upload(
    _ path: String, to key: String, as hash: ContentHash?, _ report: @escaping ByteReport
  ) throws(Diagnostic) {
    _ = try send(path, to: key, as: hash, report)
  }

  /// - Returns: what the server says of the object that it made.
  func send(
    _ path: String, to key: String, as hash: ContentHash?, _ report: @escaping ByteReport
  ) throws(Diagnostic) -> S3Upload.Made {
    func missing() -> Diagnostic { Diagnostic(.io, "[Errno 2] No such file or directory: '\(path)'") }
    guard let stat = try FileStat.of(path), stat.isFile else { throw missing() }
    if stat.size > Self.partThreshold {
      return try S3Upload(client, full(key), path, stat.size, hash, headers, keyHeaders).run(report)
    }
    // Not every server holds the body against its hash.
    var kinds: DigestKinds = .md5
    if let hash, hash.algorithm == .md5Dos2unix { kinds.insert(.md5Dos2unix) }
    if !client.usesTLS { kinds.insert(.sha256) }
    guard let digests = try ContentHasher.digests(ofFile: path, kinds) else { throw missing() }
    if let hash, digests[hash.algorithm] != hash.digest { throw .corruptObject(path) }
    var call = S3Client.Call("PUT", "PutObject", key: full(key))
    call.headers = headers
    // For what changes from here on: other bytes get no such name.
    if let md5 = digests.md5 { call.headers["Content-MD5"] = String(decoding: Base64.encode(md5.bytes), as: UTF8.self) }
    call.payload = digests.sha256?.hex
    call.body = .file(path: path, offset: 0, count: stat.size)
    do throws(Diagnostic) {
      let answer = try client.send(call, sent: { report($0) })
      // Whoever stands between may say 200 to anything.
      guard let etag = answer.headers["ETag"], !etag.isEmpty else {
        throw Diagnostic(.remote, "what \(place) answers to an upload is no answer of S3: it names no ETag")
          .hinting("is the remote's endpointurl right, and does a proxy or a login page stand before it?")
      }
      return S3Upload.Made(etag: etag, version: answer.headers["x-amz-version-id"], size: stat.size)
    } catch {
      guard let hash, error.message.contains("(BadDigest)") || error.message.contains("(InvalidDigest)") else { throw error }
      // Is it the file, or something between?
      let now = try ContentHasher.digests(ofFile: path, DigestKinds(hash.algorithm, sha256: false))
      if now?[hash.algorithm] != hash.digest { throw .corruptObject(path) }
      throw error
    }
  }

  package func remove(_ keys: [String]) throws(Diagnostic) {
    for start in stride(from: 0, to: keys.count, by: 1000) {
      let some = keys[start..<min(start + 1000, keys.count)]
      let items = some.map { "<Object><Key>\(Self.escaped(full($0)))</Key></Object>" }.joined()
      let body = Array("<Delete xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Quiet>true</Quiet>\(items)</Delete>".utf8)
      var call = S3Client.Call("POST", "DeleteObjects", query: [.init("delete")])
      call.headers["Content-MD5"] = String(decoding: Base64.encode(PayloadHash.md5(body)), as: UTF8.self)
      call.headers["Content-Type"] = "application/xml"
      call.body = .bytes(body)
      let answer = try client.send(call)
      guard let error = XMLElement(answer.body)?["Error"] else { continue }
      throw Diagnostic(
        .remote, "'\(error["Key"]?.text ?? "an object")' of \(place) cannot be removed: \(error["Code"]?.text ?? "")")
    }
  }

  private static func escaped(_ text: String) -> String {
    text.replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing(">", with: "&gt;")
  }
}
