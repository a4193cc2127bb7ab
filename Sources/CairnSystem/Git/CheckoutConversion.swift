// Which bytes a checkout gives for a blob: line ends, `$Id$`, and where only a program of the user's could say.
// Runs none.
internal import CairnCore

/// The settings of git that decide beside the attributes.
package struct CheckoutSettings: Sendable {
  package enum AutoCRLF: Sendable { case off, on, input }

  package var autoCRLF = AutoCRLF.off
  /// `core.eol = crlf`.
  package var usesCRLF = false
  /// Names of filters that have a program.
  package var filters: Set<String> = []
  /// `core.ignorecase`: patterns for attributes do not tell capitals from small letters.
  package var ignoresCase = false
  /// `core.attributesFile` as it stands there.
  package var attributesFile: String?

  package init() {}

  /// As git's configuration has them for this repository; the plain settings where git does not answer.
  package init(_ git: GitRepository) {
    let pattern = "^(core\\.(autocrlf|eol|ignorecase|attributesfile)|filter\\..*\\.(smudge|process))$"
    guard let result = try? git.git(["config", "-z", "--get-regexp", pattern], accepting: [0, 1]) else { return }
    for record in result.output.split(separator: 0) {
      let parts = String(decoding: record, as: UTF8.self).split(separator: "\n", maxSplits: 1).map(String.init)
      let value = parts.count > 1 ? parts[1].lowercased() : "true"
      let isOn = ["true", "yes", "on", "1"].contains(value)
      switch parts.first {
      case "core.autocrlf": autoCRLF = value == "input" ? .input : isOn ? .on : .off
      case "core.ignorecase": ignoresCase = isOn
      case "core.attributesfile": attributesFile = parts.count > 1 ? parts[1] : nil
      case "core.eol": usesCRLF = value == "crlf"
      case let name?: filters.insert(name.split(separator: ".").dropFirst().dropLast().joined(separator: "."))
      case nil: break
      }
    }
  }
}

/// - Source: git's own behaviour (gitattributes(5), `text`, `eol`, `ident`), held against `git checkout` by a test.
package enum CheckoutConversion {
  package enum Result: Sendable {
    case bytes([UInt8])
    /// A program decides, or a coding that is not known here: in words.
    case unknown(String)
  }

  /// - Parameter object: the name of the blob.
  package static func convert(
    _ blob: [UInt8], object: String, _ attributes: GitAttributes, _ settings: CheckoutSettings
  ) -> Result {
    if case .value(let filter) = attributes.filter {
      if isPointer(blob) { return .unknown("its content is not in git: git keeps a pointer to it (\(filter))") }
      if settings.filters.contains(filter) { return .unknown("git's filter '\(filter)' makes its content") }
    }
    var bytes = blob
    if attributes.ident == .set { bytes = expandingIdent(bytes, object) }
    let action = Action(attributes, settings)
    if action.writesCRLF { bytes = withCRLF(bytes, onlyIfText: action.isAutomatic) }
    if case .value(let encoding) = attributes.encoding, !["utf-8", "utf8"].contains(encoding.lowercased()),
      !bytes.isEmpty
    {
      guard let encoded = encoded(bytes, as: encoding.lowercased()) else {
        return .unknown("a checkout writes it as \(encoding)")
      }
      bytes = encoded
    }
    return .bytes(bytes)
  }

  /// A pointer of Git LFS stands where the content should be.
  package static func isPointer(_ bytes: some Collection<UInt8>) -> Bool {
    bytes.starts(with: "version https://git-lfs.github.com/spec/".utf8) && bytes.count < 1024
  }

  private struct Action {
    var writesCRLF: Bool
    var isAutomatic: Bool

    init(_ attributes: GitAttributes, _ settings: CheckoutSettings) {
      writesCRLF = false
      isAutomatic = false
      // The older name counts where the newer one says nothing that git knows.
      let text = Self.known(attributes.text) ?? Self.known(attributes.crlf) ?? .unspecified
      let crlf = settings.autoCRLF == .on || settings.autoCRLF == .off && settings.usesCRLF
      switch (text, attributes.eol) {
      case (.unset, _), (.value("input"), _): return
      case (.value("auto"), .value("crlf")): (writesCRLF, isAutomatic) = (true, true)
      case (.value("auto"), .value("lf")): return
      case (.value("auto"), _): (writesCRLF, isAutomatic) = (crlf, true)
      case (_, .value("crlf")): writesCRLF = true
      case (_, .value("lf")): return
      case (.set, _): writesCRLF = crlf
      default: (writesCRLF, isAutomatic) = (settings.autoCRLF == .on, true)
      }
    }

    private static func known(_ text: GitAttributes.State) -> GitAttributes.State? {
      switch text {
      case .set, .unset, .value("auto"), .value("input"): text
      case .unspecified, .value: nil
      }
    }
  }

  /// As iconv writes it; `nil` for a coding that is not known here, and for what it cannot hold.
  private static func encoded(_ bytes: [UInt8], as encoding: String) -> [UInt8]? {
    guard let text = String(validating: bytes, as: UTF8.self) else { return nil }
    func units(littleEndian: Bool, mark: Bool) -> [UInt8] {
      ((mark ? [0xFEFF] : []) + Array(text.utf16)).flatMap { unit in
        let (high, low) = (UInt8(unit >> 8), UInt8(unit & 0xFF))
        return littleEndian ? [low, high] : [high, low]
      }
    }
    switch encoding {
    case "utf-16le", "utf16le": return units(littleEndian: true, mark: false)
    case "utf-16be", "utf16be": return units(littleEndian: false, mark: false)
    case "utf-16le-bom", "utf16le-bom", "utf-16", "utf16": return units(littleEndian: true, mark: true)
    case "utf-16be-bom", "utf16be-bom": return units(littleEndian: false, mark: true)
    case "iso-8859-1", "latin1", "latin-1":
      let codes = text.unicodeScalars.map(\.value)
      return codes.allSatisfy { $0 < 0x100 } ? codes.map { UInt8($0) } : nil
    default: return nil
    }
  }

  private static func withCRLF(_ bytes: [UInt8], onlyIfText: Bool) -> [UInt8] {
    var (lonelyLF, lonelyCR, pairs, zeros, odd, printable) = (0, 0, 0, 0, 0, 0)
    var index = 0
    while index < bytes.count {
      let byte = bytes[index]
      index += 1
      switch byte {
      case 0x0D:
        if index < bytes.count, bytes[index] == 0x0A {
          pairs += 1
          index += 1
        } else {
          lonelyCR += 1
        }
      case 0x0A: lonelyLF += 1
      case 0x7F: odd += 1
      case 0..<32:
        switch byte {
        case 0x08, 0x09, 0x1B, 0x0C: printable += 1
        default:
          odd += 1
          if byte == 0 { zeros += 1 }
        }
      default: printable += 1
      }
    }
    // The end-of-file mark of DOS is no sign of binary data.
    if bytes.last == 0x1A { odd -= 1 }
    if lonelyLF == 0 { return bytes }
    if onlyIfText, lonelyCR > 0 || pairs > 0 || zeros > 0 || printable >> 7 < odd { return bytes }
    var result: [UInt8] = []
    result.reserveCapacity(bytes.count + lonelyLF)
    var before: UInt8 = 0
    for byte in bytes {
      if byte == 0x0A, before != 0x0D { result.append(0x0D) }
      result.append(byte)
      before = byte
    }
    return result
  }

  /// `$Id$`, or `$Id: anything$` on one line, becomes `$Id: OBJECT $`.
  private static func expandingIdent(_ bytes: [UInt8], _ object: String) -> [UInt8] {
    var result: [UInt8] = []
    result.reserveCapacity(bytes.count + 64)
    var index = 0
    let start = Array("$Id".utf8)
    while index < bytes.count {
      guard bytes[index] == start[0], bytes[index...].starts(with: start), index + 3 < bytes.count else {
        result.append(bytes[index])
        index += 1
        continue
      }
      var end = index + 3
      if bytes[end] == UInt8(ascii: ":") {
        while end < bytes.count, bytes[end] != UInt8(ascii: "$"), bytes[end] != 0x0A { end += 1 }
      }
      guard end < bytes.count, bytes[end] == UInt8(ascii: "$"), !isForeign(bytes[(index + 3)..<end]) else {
        result.append(bytes[index])
        index += 1
        continue
      }
      result += Array("$Id: \(object) $".utf8)
      index = end + 1
    }
    return result
  }

  /// `$Id: file,v 1.2 date $` of another version control is left alone: it has a space inside.
  private static func isForeign(_ body: ArraySlice<UInt8>) -> Bool {
    guard body.first == UInt8(ascii: ":") else { return false }
    let inner = body.dropFirst().drop { $0 == 0x20 }
    guard let space = inner.firstIndex(of: 0x20) else { return false }
    return space != inner.index(before: inner.endIndex)
  }
}
