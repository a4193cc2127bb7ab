// Shell patterns for names: `*`, `?`, `[…]`. Works on text alone.

/// A pattern for a name or a piece of it. Characters are Unicode scalars, as in Python.
package struct NameGlob: Sendable {
  private enum Piece: Sendable {
    case literal(Unicode.Scalar)
    case anyOne
    case anyText
    case oneOf([ClosedRange<UInt32>], isNegated: Bool)
  }

  private var pieces: [Piece] = []
  /// Set where the pattern is a plain text: most are, and bytes compare quickly.
  private var plain: [UInt8]?

  /// `negations`: what may follow `[` to turn it round. `escapes`: `\` takes the next character as it is.
  /// `nil` for an unclosed `[` where escapes are known (there it is a fault; else it is a plain `[`), and for a
  /// trailing `\`.
  package init?(_ pattern: String, negations: String, escapes: Bool) {
    let scalars = Array(pattern.unicodeScalars)
    var index = 0
    while index < scalars.count {
      let scalar = scalars[index]
      index += 1
      switch scalar {
      case "\\" where escapes:
        guard index < scalars.count else { return nil }
        pieces.append(.literal(scalars[index]))
        index += 1
      case "*":
        if case .anyText? = pieces.last { break }
        pieces.append(.anyText)
      case "?": pieces.append(.anyOne)
      case "[":
        var end = index
        if end < scalars.count, negations.unicodeScalars.contains(scalars[end]) { end += 1 }
        if end < scalars.count, scalars[end] == "]" { end += 1 }
        while end < scalars.count, scalars[end] != "]" { end += 1 }
        guard end < scalars.count else {
          if escapes { return nil }
          pieces.append(.literal("["))
          break
        }
        pieces.append(Self.set(scalars[index..<end], negations))
        index = end + 1
      default: pieces.append(.literal(scalar))
      }
    }
    var text = String.UnicodeScalarView()
    for piece in pieces {
      guard case .literal(let scalar) = piece else { return }
      text.append(scalar)
    }
    plain = Array(String(text).utf8)
  }

  private static func set(_ body: ArraySlice<Unicode.Scalar>, _ negations: String) -> Piece {
    var body = body
    let isNegated = body.first.map { negations.unicodeScalars.contains($0) } ?? false
    if isNegated { body.removeFirst() }
    var ranges: [ClosedRange<UInt32>] = []
    while let first = body.popFirst() {
      if body.count >= 2, body.first == "-" {
        let last = body[body.startIndex + 1]
        body.removeFirst(2)
        if first.value <= last.value { ranges.append(first.value...last.value) }
      } else {
        ranges.append(first.value...first.value)
      }
    }
    return .oneOf(ranges, isNegated: isNegated)
  }

  package func matches(_ name: ArraySlice<UInt8>) -> Bool {
    if let plain { return name.elementsEqual(plain) }
    return matches(Array(String(decoding: name, as: UTF8.self).unicodeScalars))
  }

  package func matches(_ name: String) -> Bool {
    if let plain { return name.utf8.elementsEqual(plain) }
    return matches(Array(name.unicodeScalars))
  }

  private func matches(_ name: [Unicode.Scalar]) -> Bool {
    var piece = 0
    var index = 0
    // Where to go on when a later piece fails: after the last `*`, one character further.
    var retry: (piece: Int, index: Int)?
    while true {
      if piece < pieces.count, case .anyText = pieces[piece] {
        retry = (piece + 1, index)
        piece += 1
        continue
      }
      if piece < pieces.count, index < name.count, Self.matches(pieces[piece], name[index]) {
        piece += 1
        index += 1
        continue
      }
      if piece == pieces.count, index == name.count { return true }
      guard let again = retry, again.index < name.count else { return false }
      retry = (again.piece, again.index + 1)
      piece = again.piece
      index = again.index + 1
    }
  }

  private static func matches(_ piece: Piece, _ scalar: Unicode.Scalar) -> Bool {
    switch piece {
    case .literal(let literal): literal == scalar
    case .anyOne, .anyText: true
    case .oneOf(let ranges, let isNegated): ranges.contains { $0.contains(scalar.value) } != isNegated
    }
  }

  /// Python's `fnmatch.filter`: the names that match, in order.
  package static func filter(_ names: [String], _ pattern: String) -> [String] {
    guard let glob = NameGlob(pattern, negations: "!", escapes: false) else { return [] }
    return names.filter { glob.matches($0) }
  }
}
