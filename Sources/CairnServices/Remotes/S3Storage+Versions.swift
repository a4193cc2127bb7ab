// A bucket that keeps versions: which ones it has of a file, and one of them brought or made. The protocol is S3Client's.
package import CairnCore
package import CairnStore
import CairnSystem

extension S3Storage: VersionedStorage {
  package func keepsVersions() throws(Diagnostic) -> Bool? {
    var call = S3Client.Call("GET", "GetBucketVersioning", query: [.init("versioning")])
    // Who may write need not be one who may ask; and not every server knows the question.
    call.accepted = [400, 403, 405, 501]
    let answer = try client.send(call)
    // Servers differ in what they call the whole.
    guard answer.isSuccess, let root = XMLElement(answer.body), root.name != "Error" else { return nil }
    return root["Status"]?.text == "Enabled"
  }

  package func latest(_ key: String) throws(Diagnostic) -> FileVersion? {
    guard let answer = try head(key) else { return nil }
    return Self.version(
      etag: answer.headers["ETag"], id: answer.headers["x-amz-version-id"],
      size: answer.headers["Content-Length"].flatMap { UInt64($0) })
  }

  package func has(_ version: String, of key: String) throws(Diagnostic) -> Bool {
    do throws(Diagnostic) {
      return try head(key, version: version) != nil
    } catch where Self.noVersion.contains(where: { error.message.contains("(\($0))") }) {
      // As in reading one.
      if error.message.contains("(\(Self.badRequest))") { _ = try head(key) }
      return false
    }
  }

  /// `nil` for what a bucket without versions says.
  private static func version(etag: String?, id: String?, size: UInt64?) -> FileVersion? {
    guard let id, !id.isEmpty, id != "null", let etag, !etag.isEmpty, let size else { return nil }
    return FileVersion(etag: etag.trimmingQuotes, id: id, size: size)
  }

  /// By keys, told apart by their bytes.
  package func versions(below prefix: String) throws(Diagnostic) -> [RepoPath: FileVersions] {
    var found: [RepoPath: FileVersions] = [:]
    let skipped = self.prefix.isEmpty ? 0 : self.prefix.utf8.count + 1
    var markers: (key: String, version: String)?
    while true {
      var call = S3Client.Call("GET", "ListObjectVersions")
      call.query = [
        .init("versions"), .init("prefix", full(prefix)), .init("max-keys", "1000"), .init("encoding-type", "url"),
      ]
      if let markers {
        call.query += [.init("key-marker", markers.key)]
        if !markers.version.isEmpty { call.query.append(.init("version-id-marker", markers.version)) }
      }
      let answer = try client.send(call)
      guard let page = XMLElement(answer.body), page.name == "ListVersionsResult" else {
        throw Diagnostic(.remote, "what \(place) answers to a listing of versions is none")
      }
      let isEncoded = page["EncodingType"]?.text == "url"
      func decoded(_ text: String) -> String { isEncoded ? URLEncoding.decodeForm(text) ?? text : text }
      for item in page.children where item.name == "Version" {
        guard let text = item["Key"]?.text else { continue }
        let key = RepoPath(unchecked: String(decoding: decoded(text).utf8.dropFirst(skipped), as: UTF8.self))
        let version = Self.version(
          etag: item["ETag"]?.text, id: item["VersionId"]?.text, size: item["Size"].flatMap { UInt64($0.text) })
        if let version { found[key, default: FileVersions()].all.insert(version.id) }
        if item["IsLatest"]?.text == "true" { found[key, default: FileVersions()].latest = version }
      }
      guard page["IsTruncated"]?.text == "true", let key = page["NextKeyMarker"]?.text, !key.isEmpty else { return found }
      let next = (key: decoded(key), version: page["NextVersionIdMarker"]?.text ?? "")
      if let markers, markers == next { throw Diagnostic(.remote, "the listing of \(place) does not end") }
      markers = next
    }
  }

  package func uploadVersion(
    _ path: String, to key: String, as hash: ContentHash, _ report: @escaping ByteReport
  ) throws(Diagnostic) -> FileVersion {
    let made = try send(path, to: key, as: hash, report)
    if let version = Self.version(etag: made.etag, id: made.version, size: made.size) { return version }
    // Some servers name the version of an upload in parts, or its ETag, only when they are asked.
    if let version = try latest(key), version.size == made.size,
      version.id == made.version || version.etag == made.etag.trimmingQuotes
    {
      return version
    }
    throw .noVersions(client.bucket + "/" + full(key), isSent: true)
  }

  package func download(
    _ key: String, version: String, to path: String, _ kinds: DigestKinds, _ report: @escaping ByteReport
  ) throws(Diagnostic) -> Digests? {
    try hashed(key, version, FileSink(path, kinds, report))
  }

  package func beside(_ folder: String) -> any RemoteStorage {
    S3Storage(client, prefix: full(folder), writing: headers, encryptedBy: keyHeaders, jobs: jobs)
  }
}

extension String {
  fileprivate var trimmingQuotes: String {
    hasPrefix("\"") && hasSuffix("\"") && utf8.count > 1 ? String(dropFirst().dropLast()) : self
  }
}
