// Characters by the names that Python's `\N{…}` takes. Knows nothing of strings.

enum PythonCharacterNames {
  static func scalar(named name: String) -> Unicode.Scalar? { all[name.uppercased()] }

  /// Unicode's names and corrections of names. Made on the first use, of some 150,000: a file may hold many, and a
  /// search for each would take its square.
  private static let all: [String: Unicode.Scalar] = {
    var all: [String: Unicode.Scalar] = [:]
    for value in UInt32(0)...0x10FFFF {
      guard let scalar = Unicode.Scalar(value) else { continue }
      let properties = scalar.properties
      if let name = properties.name { all[name] = scalar }
      if let alias = properties.nameAlias { all[alias] = scalar }
    }
    for entry in aliases.split(separator: "|") {
      let words = entry.split(whereSeparator: \.isWhitespace)
      guard let scalar = UInt32(words[0], radix: 16).flatMap(Unicode.Scalar.init) else { continue }
      for name in words.dropFirst().joined(separator: " ").split(separator: ",") { all[String(name)] = scalar }
    }
    return all
  }()

  /// Of the further names in Unicode's NameAliases.txt, those of control characters and a few more.
  private static let aliases = """
    0 NULL,NUL | 1 START OF HEADING,SOH | 2 START OF TEXT,STX | 3 END OF TEXT,ETX | 4 END OF TRANSMISSION,EOT |
    5 ENQUIRY,ENQ | 6 ACKNOWLEDGE,ACK | 7 ALERT,BEL | 8 BACKSPACE,BS |
    9 CHARACTER TABULATION,HORIZONTAL TABULATION,HT,TAB | A LINE FEED,NEW LINE,END OF LINE,LF,NL,EOL |
    B LINE TABULATION,VERTICAL TABULATION,VT | C FORM FEED,FF | D CARRIAGE RETURN,CR | E SHIFT OUT,SO |
    F SHIFT IN,SI | 10 DATA LINK ESCAPE,DLE | 11 DEVICE CONTROL ONE,DC1 | 12 DEVICE CONTROL TWO,DC2 |
    13 DEVICE CONTROL THREE,DC3 | 14 DEVICE CONTROL FOUR,DC4 | 15 NEGATIVE ACKNOWLEDGE,NAK |
    16 SYNCHRONOUS IDLE,SYN | 17 END OF TRANSMISSION BLOCK,ETB | 18 CANCEL,CAN | 19 END OF MEDIUM,EOM |
    1A SUBSTITUTE,SUB | 1B ESCAPE,ESC | 1C FILE SEPARATOR,FS | 1D GROUP SEPARATOR,GS | 1E RECORD SEPARATOR,RS |
    1F UNIT SEPARATOR,US | 20 SP | 7F DELETE,DEL | 85 NEXT LINE,NEL | A0 NBSP | AD SHY | 200B ZWSP | 200C ZWNJ |
    200D ZWJ | 200E LRM | 200F RLM | 2060 WJ | FEFF BYTE ORDER MARK,BOM
    """
}
