// A command read back: what stood in it where its template puts values in.
import CairnCore
import Testing

private struct NoFiles: ParameterSource {
  func parameters(at location: Location) throws(Diagnostic) -> ParameterContent? { nil }
}

private func template(_ command: Value, _ values: ValueMap) throws -> CommandTemplate {
  let mark = SourceMark(source: SourceText(path: "dvc.yaml", bytes: []), line: 1, column: 1)
  var context = TemplateContext()
  try context.load(
    vars: MarkedValue(.list([.map(values)]), at: mark), ofStage: nil, from: NoFiles(),
    locate: { (.url($0), $0) })
  return try #require(try CommandTemplate(MarkedValue(command, at: mark), in: context, Interpolation()))
}

private func texts(_ template: CommandTemplate, _ command: Value) -> [String?]? {
  guard case .texts(let texts) = template.match(command) else { return nil }
  return texts
}

struct CommandTemplateTests {
  @Test("each value's text is found, and what cannot come from the template is not")
  func match() throws {
    let command = try template("run --lr ${lr} ${file} \\${HOME}", ["lr": 0.1, "file": "a b"])
    #expect(texts(command, "run --lr 0.25 c ${HOME}") == ["0.25", "c"])
    #expect(texts(command, "run --rate 0.1 a b ${HOME}") == nil)
    #expect(texts(command, "run --lr 0.1 c ${HOME} more") == nil)
    #expect(texts(command, .list(["run --lr 0.1 c ${HOME}"])) == nil)
    #expect(command.command { $0 == 0 ? .float(0.5) : .string("x") } == "run --lr 0.5 x ${HOME}")
    #expect(command.command { $0 == 0 ? .float(0.5) : nil } == nil)
  }

  @Test("what can be read in two ways is not told")
  func ambiguous() throws {
    let two = try template("${a} ${b}", ["a": "x", "b": "y"])
    #expect(texts(two, "x z") == ["x", "z"])
    #expect(texts(two, "x z y") == [nil, nil])
    let glued = try template("${a}${b}", ["a": 1, "b": 4])
    #expect(texts(glued, "123") == [nil, nil])
  }

  @Test("a list is read command by command, a map as its options, a whole value as Python writes it")
  func shapes() throws {
    let list = try template(.list(["one ${a}", "two"]), ["a": 1])
    #expect(texts(list, .list(["one 2", "two"])) == ["2"])
    #expect(texts(list, .list(["one 2", "three"])) == nil)
    #expect(texts(list, .list(["one 2"])) == nil)
    let map = try template("run ${m}", ["m": .map(["lr": 1, "on": true])])
    #expect(map.command { _ in .map(["lr": 2, "on": true]) } == "run --lr 2 --on")
    #expect(texts(map, "run --lr 2") == ["--lr 2"])
    let whole = try template("${flag}", ["flag": true])
    #expect(whole.command { _ in .bool(false) } == "False")
  }

  @Test("a text of endless ways is given up, not searched for ever")
  func endless() throws {
    let names = (0..<12).map { "v\($0)" }
    let many = try template(
      .string(names.map { "${\($0)}" }.joined()), ValueMap(names.map { (.string($0), .string("x")) }, uniquingKeysWith: { $1 }))
    #expect(texts(many, .string(String(repeating: "a", count: 400)))?.allSatisfy { $0 == nil } == true)
  }
}
