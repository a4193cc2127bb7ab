// A large file to a bucket in parts; an upload of it that was left goes on. Knows no layout of keys.
import CairnCore
import CairnFormats
import CairnStore
import CairnSystem
import Synchronization

struct S3Upload {
  private let client: S3Client
  private let key: String
  private let path: String
  private let size: UInt64
  private let hash: ContentHash?
  private let headers: HTTPHeaders
  /// Of each part as of the whole.
  private let keyHeaders: HTTPHeaders
  private let partSize: UInt64

  /// What a server says of an object that it made.
  struct Made {
    /// As it stands in the header.
    var etag: String
    var version: String?
    var size: UInt64
  }

  /// - Source: the limits of S3: 10,000 parts, each but the last of 5 MiB at least.
  init(
    _ client: S3Client, _ key: String, _ path: String, _ size: UInt64, _ hash: ContentHash?, _ headers: HTTPHeaders,
    _ keyHeaders: HTTPHeaders
  ) {
    self.keyHeaders = keyHeaders
    self.client = client
    self.key = key
    self.path = path
    self.size = size
    self.hash = hash
    self.headers = headers
    partSize = max(32 << 20, ((size / 9_000 + (1 << 20) - 1) >> 20) << 20)
  }

  private var parts: Int { Int((size + partSize - 1) / partSize) }

  private func range(_ number: Int) -> (offset: UInt64, count: UInt64) {
    let offset = UInt64(number) * partSize
    return (offset, min(partSize, size - offset))
  }

  func run(_ report: @escaping ByteReport) throws(Diagnostic) -> Made {
    // Before anything is sent: other bytes get no such name.
    let found = try S3UploadHashes(
      path, size, partSize: partSize, whole: DigestKinds(hash?.algorithm ?? .md5, sha256: false),
      parts: client.usesTLS ? .md5 : [.md5, .sha256])
    if let hash, found.whole[hash.algorithm] != hash.digest { throw .corruptObject(path) }
    let sent = Mutex(0)
    do throws(Diagnostic) {
      return try run(found.parts, goesOn: true) { count in
        sent.withLock { $0 += count }
        report(count)
      }
    } catch where error.isUploadGone {
      // Somebody who sends the same had begun it, and has ended it.
      report(-sent.withLock { $0 })
      return try run(found.parts, goesOn: false, report)
    }
  }

  /// - Parameter goesOn: with an upload that was left.
  private func run(
    _ hashes: [S3UploadHashes.Part], goesOn: Bool, _ report: @escaping ByteReport
  ) throws(Diagnostic) -> Made {
    let (upload, there) = try begin(hashes, goesOn)
    let tags = Mutex<[String?]>(Array(repeating: nil, count: parts))
    do throws(Diagnostic) {
      _ = try Concurrently.each(parts, threads: 4) { number throws(Diagnostic) in
        let (offset, count) = range(number)
        let tag: String
        if let known = there[number], known.size == count, known.tag == "\"\(Hex.encode(hashes[number].md5))\"" {
          report(Int(count))
          tag = known.tag
        } else {
          tag = try send(number, offset, count, hashes[number], upload, report)
        }
        tags.withLock { $0[number] = tag }
      }
      return try complete(upload, tags.withLock { $0.map { $0 ?? "" } })
    } catch {
      // What is transient may go on where it is; what is not would lie there and cost.
      if error.code != .remote { abort(upload) }
      throw error
    }
  }

  /// One of these bytes that was left, with what it has; else a new one.
  private func begin(
    _ hashes: [S3UploadHashes.Part], _ goesOn: Bool
  ) throws(Diagnostic) -> (upload: String, parts: [Int: (size: UInt64, tag: String)]) {
    // Under a plain path others may be sending other bytes, and what was begun with another key takes none of ours.
    if goesOn, keyHeaders.all.isEmpty, let left = try? left(),
      left.parts.allSatisfy({ hashes.indices.contains($0) && $1.tag == "\"\(Hex.encode(hashes[$0].md5))\"" })
    {
      return left
    }
    var call = S3Client.Call("POST", "CreateMultipartUpload", key: key, query: [.init("uploads")])
    call.headers = headers
    call.body = .bytes([])
    let answer = try client.send(call)
    guard let id = XMLElement(answer.body)?["UploadId"]?.text, !id.isEmpty else {
      throw Diagnostic(.remote, "the bucket '\(client.bucket)' begins no upload in parts")
    }
    return (id, [:])
  }

  private func left() throws(Diagnostic) -> (upload: String, parts: [Int: (size: UInt64, tag: String)])? {
    let list = S3Client.Call(
      "GET", "ListMultipartUploads", query: [.init("uploads"), .init("prefix", key), .init("max-uploads", "10")])
    let uploads = XMLElement(try client.send(list).body)?.all("Upload").filter { $0["Key"]?.text == key } ?? []
    guard let id = uploads.max(by: { ($0["Initiated"]?.text ?? "") < ($1["Initiated"]?.text ?? "") })?["UploadId"]?.text
    else { return nil }
    var parts: [Int: (size: UInt64, tag: String)] = [:]
    var marker = "0"
    for _ in 0..<11 {
      let call = S3Client.Call(
        "GET", "ListParts", key: key, query: [.init("uploadId", id), .init("part-number-marker", marker)])
      guard let page = XMLElement(try client.send(call).body) else { return nil }
      for part in page.all("Part") {
        guard let number = part["PartNumber"].flatMap({ Int($0.text) }), let tag = part["ETag"]?.text,
          let size = part["Size"].flatMap({ UInt64($0.text) })
        else { continue }
        parts[number - 1] = (size, tag.hasPrefix("\"") ? tag : "\"\(tag)\"")
      }
      guard page["IsTruncated"]?.text == "true", let next = page["NextPartNumberMarker"]?.text, next != marker else { break }
      marker = next
    }
    return (id, parts)
  }

  private func send(
    _ number: Int, _ offset: UInt64, _ count: UInt64, _ hash: S3UploadHashes.Part, _ upload: String,
    _ report: @escaping ByteReport
  ) throws(Diagnostic) -> String {
    var call = S3Client.Call(
      "PUT", "UploadPart", key: key, query: [.init("partNumber", "\(number + 1)"), .init("uploadId", upload)])
    call.headers = keyHeaders
    call.headers["Content-MD5"] = String(decoding: Base64.encode(hash.md5), as: UTF8.self)
    call.payload = hash.sha256
    call.body = .file(path: path, offset: offset, count: count)
    let answer = try client.send(call, sent: { report($0) })
    guard let tag = answer.headers["ETag"] else { throw Diagnostic(.remote, "the bucket '\(client.bucket)' names no part") }
    return tag
  }

  private func complete(_ upload: String, _ tags: [String]) throws(Diagnostic) -> Made {
    let parts = tags.enumerated().map {
      "<Part><PartNumber>\($0 + 1)</PartNumber><ETag>\($1.replacing("&", with: "&amp;").replacing("<", with: "&lt;"))</ETag></Part>"
    }
    var call = S3Client.Call("POST", "CompleteMultipartUpload", key: key, query: [.init("uploadId", upload)])
    call.headers["Content-Type"] = "application/xml"
    call.body = .bytes(
      Array("<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">\(parts.joined())</CompleteMultipartUpload>".utf8))
    do throws(Diagnostic) {
      let answer = try client.send(call)
      let etag = XMLElement(answer.body)?["ETag"]?.text ?? answer.headers["ETag"] ?? ""
      return Made(etag: etag, version: answer.headers["x-amz-version-id"], size: size)
    } catch {
      // A repeat of one that had worked finds no such upload: is the file there?
      var look = S3Client.Call("HEAD", "HeadObject", key: key)
      look.headers = keyHeaders
      look.accepted = [404]
      guard error.isUploadGone, let answer = try? client.send(look),
        answer.headers["Content-Length"].flatMap({ UInt64($0) }) == size
      else { throw error }
      return Made(etag: answer.headers["ETag"] ?? "", version: answer.headers["x-amz-version-id"], size: size)
    }
  }

  private func abort(_ upload: String) {
    _ = try? client.send(S3Client.Call("DELETE", "AbortMultipartUpload", key: key, query: [.init("uploadId", upload)]))
  }
}

extension Diagnostic {
  fileprivate var isUploadGone: Bool { message.contains("(NoSuchUpload)") }
}
