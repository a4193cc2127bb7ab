// What `${…}` costs, and what is none.
import Testing

@testable import CairnCore

struct InterpolationTests {
  @Test("an opening that nothing closes is text, and so are a million of them")
  func unclosed() throws {
    let interpolation = Interpolation()
    let context = TemplateContext()
    for text in ["${a\n}", "${", "x ${ y\n${b", String(repeating: "${", count: 1_000_000)] {
      #expect(try interpolation.resolve(text, in: context, key: nil) == .string(text))
    }
    let late = String(repeating: "${", count: 1_000_000) + "\n${a}"
    let fault = #expect(throws: TemplateFault.self) { try interpolation.resolve(late, in: context, key: nil) }
    #expect(fault?.message == "Could not find 'a'")
  }

  @Test("keys that templates make are each found at once, and the last value of one counts")
  func keys() throws {
    var context = TemplateContext()
    context.iteration["item"] = TemplateNode(.scalar("x"))
    func map(_ entries: [(String, Value)]) -> MarkedValue {
      MarkedValue(
        .map(entries.map { MarkedValue.MarkedEntry(key: MarkedValue(.string($0)), value: MarkedValue($1)) }), at: nil)
    }
    let few = try Interpolation().resolve(map([("x", 1), ("y", 2), ("${item}", 3)]), in: context, key: nil)
    #expect(few.value == .map(["x": 3, "y": 2]))
    let many = try Interpolation().resolve(
      map((0..<20_000).map { ("${item}\($0)", .int($0)) }), in: context, key: nil)
    #expect(many.entries?.count == 20_000)
  }
}
