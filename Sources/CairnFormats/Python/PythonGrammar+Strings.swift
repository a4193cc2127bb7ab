// Python's strings: side by side, with escapes, and the replacement fields of f-strings and t-strings.

extension PythonGrammar {
  /// One or several strings side by side.
  mutating func strings() throws(PythonFault) -> PythonShape {
    var hasBytes = false, hasText = false, hasTemplate = false, isFormatted = false
    let start = position
    while symbol == .string || symbol == .formatStart {
      let letters = text.prefix { PythonTokenizer.isNamePart($0) }
      if symbol == .formatStart {
        isFormatted = true
        let isTemplate = letters.contains { $0 | 0x20 == UInt8(ascii: "t") }
        hasTemplate = hasTemplate || isTemplate
        hasText = hasText || !isTemplate
        try formatted(isRaw: letters.contains { $0 | 0x20 == UInt8(ascii: "r") })
      } else {
        let isBytes = letters.contains { $0 | 0x20 == UInt8(ascii: "b") }
        hasBytes = hasBytes || isBytes
        hasText = hasText || !isBytes
        scratch.removeAll(keepingCapacity: true)
        _ = try PythonString.append(text, at: tokens[position].start, to: &scratch)
        position += 1
      }
    }
    if hasTemplate, hasText || hasBytes {
      throw fault("cannot mix t-string literals with string or bytes literals", at: start)
    }
    if hasBytes, hasText { throw fault("cannot mix bytes and nonbytes literals", at: start) }
    return .value(isFormatted ? .formatted : .literal)
  }

  private mutating func formatted(isRaw: Bool) throws(PythonFault) {
    position += 1
    while !skip(.formatEnd) { try formattedPart(isRaw: isRaw) }
  }

  /// Text, or a replacement field.
  private mutating func formattedPart(isRaw: Bool) throws(PythonFault) {
    guard symbol == .formatText else { return try replacementField(isRaw: isRaw) }
    if !isRaw {
      scratch.removeAll(keepingCapacity: true)
      try PythonString.appendText(text, at: tokens[position].start, to: &scratch)
    }
    position += 1
  }

  private mutating func replacementField(isRaw: Bool) throws(PythonFault) {
    try expect(.leftBrace)
    switch symbol {
    case .rightBrace: throw fault("f-string: valid expression required before '}'")
    case .exclamation: throw fault("f-string: valid expression required before '!'")
    case .formatColon: throw fault("f-string: valid expression required before ':'")
    case .assign: throw fault("f-string: valid expression required before '='")
    case .yield: try yieldExpression()
    default: _ = try starExpressions()
    }
    _ = skip(.assign)
    if skip(.exclamation) { try conversion() }
    if skip(.formatColon) {
      while symbol == .formatText || symbol == .leftBrace { try formattedPart(isRaw: isRaw) }
    }
    try expect(.rightBrace, "f-string: expecting '}'")
  }

  /// `r`, `s` or `a`, directly behind its mark.
  private mutating func conversion() throws(PythonFault) {
    guard symbol == .name else { throw fault("f-string: missing conversion character") }
    guard tokens[position].start == tokens[position - 1].end else {
      throw fault("f-string: conversion type must come right after the exclamation mark")
    }
    guard isName("r") || isName("s") || isName("a") else {
      let name = String(decoding: text, as: UTF8.self)
      throw fault("f-string: invalid conversion character '\(name)': expected 's', 'r', or 'a'")
    }
    position += 1
  }
}
