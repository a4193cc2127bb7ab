// Numbers of two kinds, as Python's `==` holds them against each other: exactly.
import CairnCore
import Testing

struct NumberEqualityTests {
  // Each line from python3: `a == b`.
  @Test(
    "an integer equals a float that is that integer, to the last digit",
    arguments: [
      (.bigInt("123456789012345678901234567890"), 1.2345678901234568e+29, false),
      (.bigInt("123456789012345677877719597056"), 1.2345678901234568e+29, true),
      (.bigInt("-123456789012345677877719597056"), -1.2345678901234568e+29, true),
      (.bigInt("-123456789012345677877719597056"), 1.2345678901234568e+29, false),
      (.bigInt("9223372036854775808"), 9.223372036854775808e18, true),
      (.bigInt("9223372036854775809"), 9.223372036854775808e18, false),
      (.bigInt("18446744073709551616"), 1.8446744073709552e19, true),
      (.bigInt("100000000000000000000000"), 1e23, false), (.bigInt("99999999999999991611392"), 1e23, true),
      (.bigInt("10000000000000000000000"), 1e22, true),
      (.bigInt("9" + String(repeating: "0", count: 400)), .float(.infinity), false),
      (.bigInt("123456789012345678901234567890"), .float(.nan), false), (.bigInt("123456789012345678901234567890"), 0.5, false),
      (9_007_199_254_740_993, 9007199254740992.0, false), (9_007_199_254_740_992, 9007199254740992.0, true),
      (.int(.max), 9.223372036854775808e18, false), (.int(.min), -9.223372036854775808e18, true), (0, -0.0, true),
      (true, 1.0, true), (false, 0.0, true), (true, 1.5, false), (1, true, true),
      (.bigInt("123456789012345678901234567890"), true, false), (.bigInt("123456789012345678901234567890"), 1, false),
    ] as [(Value, Value, Bool)])
  func table(a: Value, b: Value, areEqual: Bool) {
    #expect(a.isEqualInPython(to: b) == areEqual)
    #expect(b.isEqualInPython(to: a) == areEqual)
    #expect(a.isStill(b) == areEqual)
  }

  @Test("NaN in a list of a YAML file is what it was, as for DVC; elsewhere it is equal to nothing")
  func notANumber() {
    let (alone, inside) = (Value.float(.nan), Value.list([.map(["k": .float(.nan)]), 1]))
    #expect(inside.isEqualParameter(to: inside, inYAML: true) && !inside.isEqualParameter(to: inside, inYAML: false))
    #expect(!alone.isEqualParameter(to: alone, inYAML: true) && !alone.isEqualInPython(to: alone))
    #expect(!inside.isEqualParameter(to: .list([.map(["k": .float(.nan)]), 2]), inYAML: true))
  }

  @Test("the largest float has its 309 digits")
  func digits() {
    guard case .bigInt(let digits)? = ExactInteger.value(of: .greatestFiniteMagnitude) else {
      Issue.record("no integer")
      return
    }
    #expect(digits.count == 309 && digits.hasPrefix("17976931348623157081452742373170435679") && digits.hasSuffix("8368"))
  }
}
