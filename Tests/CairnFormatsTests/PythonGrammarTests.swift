// What is Python and what is not, as `ast.parse` decides it. The tables were answered by CPython 3.11 and 3.13; the
// last test asks the Python that is there, with random edits of good sources.
import CairnCore
import CairnTestSupport
import Foundation
import Testing

@testable import CairnFormats

/// What Python is said to find fault with, and in which line; `nil` where it takes `text`.
private func fault(_ text: String) -> String? {
  do throws(Diagnostic) {
    _ = try PythonParameters.parse(SourceText(path: "p.py", bytes: Array(text.utf8)))
    return nil
  } catch {
    return error.causes.first?.message ?? error.message
  }
}

struct PythonGrammarTests {
  @Test(
    "What Python takes is taken: expressions",
    arguments: [
      "a if b else c if d else lambda: e", "not a and not b or -c ** -d + ~e @ f // g % h << i & j | k ^ l > m",
      "a not in b is not c", "await x ** await y", "- await x", "x ** -y", "*a", "*a, b", "x = *a", "x = *a | b, c",
      "(a, *b), (yield), (yield a, *b), (yield from c), (a := 1), (*a,), ()", "[a := 1, *b], [], [a,]",
      "{1: 2, **a | b, 3: 4,}, {}, {*a, b}, {a := 1}, {(a := 1): 2}", "{lambda: 1: 2}",
      "[x for x, *y in a if b if c for (z) in d], {a: b for a in c}, {a async for a in b}, (x for x.y in z)",
      "f(x for x in y)(z)", "f(a := x for x in y)", "f(a, *b or c, d=1, *e, **f or g, h=2,)", "f(a := b, print=c)",
      "x[a:b, ::c, ..., *d or e, f := 1, lambda: 2]", "x[:], x[::]", "x.match.case.type._",
      "lambda a, /, b=1, *c, d, e=2, **f: 0", "lambda *, a: a", "lambda *a, b=lambda: 1: 2",
      "print >>f, x", "1..real, 1.0.real", "1if x else 2", "[0xfor x in y]", "None.x = 1", "x = yield", "x = yield *a, b",
    ])
  func goodExpressions(_ text: String) { #expect(fault(text) == nil) }

  @Test(
    "What Python takes is taken: statements",
    arguments: [
      "", "\n\n", "# c", "pass;", "x; y\n", "a = b = *c, d = e", "*a = 1", "*a, *b = x", "() = [] = x", "(a) = ((b)) = 1",
      "a.b, c[0], (d, *e), [f] = f().x = g", "(a): int", "a.b: int = yield", "x: int = *a, b", "(a) += yield", "a[0] @= 1, 2",
      "print = match = case = type = _ = 1", "match[x]: int = 1", "match(x)", "match -x", "type (x)", "type in x",
      "del a, (b, c), [d.e, f[0]], ()", "return *a, b", "return", "break", "nonlocal x", "global a, b", "raise", "raise a from b",
      "assert a, b", "assert (a, b)", "import a.b as c, d", "from . import *", "from ....a import b as c",
      "from .a import (b, c as d,)", "if a := b: pass; c\nelif d: e\nelse: f", "while a: pass\nelse: pass",
      "for x, in *a, b: pass\nelse: pass", "for *x, y.z in w in v: pass", "async for a in b: pass", "async with a: pass",
      "with a, b as c, d() as (e, [f, *g]), h as i.j: pass", "with (a as b, c,): pass", "with (a, b): pass", "with (a, b) as c: pass",
      "with (a), (b): pass", "with (a := b, c): pass", "with (a).b as c: pass", "with (yield): pass", "with (): pass", "with a as *b: pass",
      "try: pass\nexcept: pass\nexcept A: pass", "try: pass\nexcept* A as b: pass\nexcept* (C, D): pass\nelse: pass\nfinally: pass",
      "try: pass\nexcept A, B: pass", "try: pass\nfinally: pass",
      "@a := b\n\n# c\n@(yield)\ndef f(): pass", "@x\nasync def f(): pass", "@x[0](y)\nclass A: pass",
      "def f(a, b: int = 1, /, c=2, *args: *x, d, e: str = 's', **kw: y,) -> int: pass", "def f(a=1, *, b): pass",
      "class A(): pass", "class A(B, *c, metaclass=d, **e): pass", "def f[T: int = str, *U = *V, **W](): pass",
      "class A[T]: pass", "type X[T] = int", "type type = type",
      "match x, *y:\n case 1 | -2.5 | -1 + 2j | 's' 't' | None: pass\n case A.B(c, d=_, e=[*f, 1],) as g if h := i: j\n case _: pass",
      "match (x):\n case {'k': v, -1: w, a.b: _, None: n, **rest,}: pass\n case [a, (b), (c,), *_] | (): pass\n case *a, b: pass",
      "match x:\n case f'{a}': pass",
    ])
  func goodStatements(_ text: String) { #expect(fault(text) == nil) }

  @Test(
    "What Python takes is taken: tokens",
    arguments: [
      "x = 0, 00, 0_0, 1_000, 0xfF_f, 0o17, 0b1_0, 1., .5, 1.5e-3, 1E5, 1_0.0_1e1_0, 0j, 1.5J, 09.5, 09e1, 09j, 0x_1",
      "x = " + String(repeating: "0", count: 5000), "x = 0x" + String(repeating: "f", count: 5000),
      #"x = "a\x41\u0041\N{digit one}\N{LF}\101\d\ud800" 'b\"# + "\n" + #"c' r"\x" u'é'"#, "x = '''a'b\n''c'''",
      #"x = b"\x00\u1\N" Rb'\x' bR'''q'''"#, #"f"a{b}c{{d}}{e!r:>{w}}{g=}{h = !s}" "i" rf'\d{x:%Y-%m}\{y}'"#,
      #"f'{x:{{}}}{a["k"]}{a['k']}{ {1: 2}[1] }{(lambda: 1)()}{a:=5}{b!=c}{*a, b}{yield}\N{DIGIT ONE}'"#,
      "f'''{\nx # c\n}{x:\n}'''", #"f'{"\n"}{f"{f'{1}'}"}'"#, "f'{x:{y:{z}}}'", "t'a{b!r:c}' rt'\\d'",
      "é = ª = 变数 = a· = ℘ = 1", "x \\\n = 1", "\\\nx = 1", "x = 1 \\\n\n", "if a:\n\\\n  b\n", "x = (1, # c\n\n2)",
      "if 1:\n\tx\n\n  # c\n\ty\nelse:\n        z", "\u{0C}x = 1\n \u{0C}y = 2", "x = 1\r\nif x:\r\n  y\r\nz\rw",
      "# coding: latin-1\nx = 1",
    ])
  func goodTokens(_ text: String) { #expect(fault(text) == nil) }

  @Test(
    "What Python refuses is refused, in its words where that is easy",
    arguments: [
      ("print 'x'", "Missing parentheses in call to 'print'. Did you mean print(...)? (p.py, line 1)"),
      ("x = 017", "leading zeros in decimal integer literals are not permitted; use an 0o prefix for octal integers (p.py, line 1)"),
      ("a\nif x\n  b", "expected ':' (p.py, line 2)"),
      ("for in y: pass", "invalid syntax (p.py, line 1)"),
      ("else: pass", "invalid syntax (p.py, line 1)"),
      ("1 = x", "cannot assign to literal here. Maybe you meant '==' instead of '='? (p.py, line 1)"),
      ("f() = 1", "cannot assign to function call here. Maybe you meant '==' instead of '='? (p.py, line 1)"),
      ("None = 1", "cannot assign to None (p.py, line 1)"), ("(a, 1) = x", "cannot assign to literal (p.py, line 1)"),
      ("(a, b) += 1", "'tuple' is an illegal expression for augmented assignment (p.py, line 1)"),
      ("a, b: int", "only single target (not tuple) can be annotated (p.py, line 1)"),
      ("x = yield = 1", "assignment to yield expression not possible (p.py, line 1)"),
      ("del a, f()", "cannot delete function call (p.py, line 1)"),
      ("f(a=1, b)", "positional argument follows keyword argument (p.py, line 1)"),
      ("f(**a, *b)", "iterable argument unpacking follows keyword argument unpacking (p.py, line 1)"),
      ("f(a for a in b, 1)", "Generator expression must be parenthesized (p.py, line 1)"),
      ("def f(a=1, b): pass", "parameter without a default follows parameter with a default (p.py, line 1)"),
      ("try: pass\n\nx", "expected 'except' or 'finally' block (p.py, line 3)"),
      ("if 1:\n        x\n\ty", "inconsistent use of tabs and spaces in indentation (p.py, line 3)"),
      ("if 1:\n\tx\n        y", "inconsistent use of tabs and spaces in indentation (p.py, line 3)"),
      ("if x:\n  a\n b", "unindent does not match any outer indentation level (p.py, line 3)"),
      ("x = 1\n  y = 2", "unexpected indent (p.py, line 2)"),
      ("def f():\n", "expected an indented block after function definition on line 1 (p.py, line 1)"),
      ("x = b'é'", "bytes can only contain ASCII literal characters (p.py, line 1)"),
      ("x = b'a' 'b'", "cannot mix bytes and nonbytes literals (p.py, line 1)"),
      ("x = '\\x1'", "(unicode error) 'unicodeescape' codec can't decode bytes: truncated \\xXX escape (p.py, line 1)"),
      ("x = 1_", "invalid decimal literal (p.py, line 1)"), ("x = 0b2", "invalid digit '2' in binary literal (p.py, line 1)"),
      ("x = 1abc", "invalid decimal literal (p.py, line 1)"), ("x = 0x", "invalid hexadecimal literal (p.py, line 1)"),
      ("x\u{A0}= 1", "invalid non-printable character U+00A0 (p.py, line 1)"),
      ("x = ‘a’", "invalid character '‘' (U+2018) (p.py, line 1)"),
      ("\u{FEFF}x = 1", "invalid non-printable character U+FEFF (p.py, line 1)"),
      ("x = 1\n\u{0}", "source code string cannot contain null bytes (p.py, line 2)"),
      ("x = " + String(repeating: "1", count: 4301), "Exceeds the limit (4300 digits) for integer string conversion: value has 4301 digits (p.py, line 1)"),
      ("x = f'{}'", "f-string: valid expression required before '}' (p.py, line 1)"),
      ("x = f'}'", "f-string: single '}' is not allowed (p.py, line 1)"),
      ("x = {[1]: 2}", "unhashable type (p.py, line 1)"),
    ])
  func bad(_ text: String, _ message: String) { #expect(fault(text) == message) }

  @Test(
    "What Python refuses is refused, be it where no parameter is",
    arguments: [
      "x = 1 2", "x = = 1", "x = ", "def f(:\n  pass", "a <> b", "x = `a`", "x = $", "a!b", "**x", "*x or y", "(*a)", "[*a for a in b]",
      "x not y", "a == not b", "- not x", "x ** not y", "await await x", "x.None", "x..y", "x.1", "1.x", "0or 1", "1as x", "1__0", "1e", "0_7",
      "x[]", "x[a b]", "x[:::]", "x[*b:c]", "(,)", "(a,,b)", "{**a for a in b}", "{a: 1, b}", "{a, b: 1}", "{*a: 1}", "{a: *b}", "{a := 1: 2}",
      "[x for x in a, b]", "[x for x in lambda: y]", "[x for x in a if b else c]", "f(a.b=1)", "f(True=1)", "f((a)=1)", "f(*)", "f(,)", "f(a=)",
      "f(c=d, a:=b)", "f(**a, b)", "f(a=x for x in y)", "f(a for a in b,)", "class A(x for x in y): pass", "a = b := c", "a := b", "lambda (x): y",
      "lambda *: 1", "def f(*): pass", "def f(*, **k): pass", "def f(/): pass", "def f(a, /, b, /): pass", "def f(*, a, /): pass", "def f(*a=1): pass",
      "def f(**k, a): pass", "def f(a, (b, c)): pass", "def f(None): pass", "def f() -> a, b: pass", "def f(a: *b): pass", "def f[](): pass",
      "x: int: str = 1", "x: int += 1", "a: *b", "a += b = c", "[a] += 1", "-x = 1", "await x.y = 1", "not x = 1", "a if b else c = d", "lambda: y = z",
      "(yield) = 1", "'a' = 1", "f'' = 1", "... = 1", "[a, 1] = x", "for x() in y: pass", "for x if y in z: pass", "for x in y := z: pass",
      "with a as f(): pass", "with a,: pass", "with (a as b).c: pass", "with (a as b), c: pass", "with (a as b) as c: pass", "with *a: pass",
      "del", "del *a", "del (a, *b)", "del a + b", "del a b", "return yield", "raise a, b", "raise from b", "assert a, b, c", "global a,", "pass pass", "break x",
      "import a,", "import a as b.c", "import .a", "from a import", "from a import b,", "from a import ()", "from .a import (*)", "from import a",
      "if x: if y: pass", "x; if y: pass", "if x = 1: pass", "if x: pass\nelse if y: pass", "x;;", ";", "class A: def f(): pass", "async x", "async lambda: 1",
      "try: pass\nelse: pass", "try: pass\nexcept*: pass", "try: pass\nexcept* A: pass\nexcept B: pass", "try: pass\nexcept A, B as c: pass",
      "try: pass\nexcept A as b.c: pass", "try: pass\nfinally: pass\nelse: pass", "@x\nx = 1", "@x def f(): pass", "@\ndef f(): pass",
      "match x: pass", "match x:\n pass", "match *x:\n case 1: pass", "match x:\n case 1: pass\n y", "case 1: pass", "match x:\n case 1 + 2: pass",
      "match x:\n case 1j + 2j: pass", "match x:\n case +1: pass", "match x:\n case *a: pass", "match x:\n case (*a): pass", "match x:\n case _.x: pass",
      "match x:\n case a as _: pass", "match x:\n case {**_}: pass", "match x:\n case {**r, 1: 2}: pass", "match x:\n case {a: 1}: pass",
      "match x:\n case A(b=1, c): pass", "match x:\n case a(b.c=1): pass", "type X", "type X: int", "'a' = b", "x = 'a\nb'", "x = '''a", "x = \"\"\"a\"\"\"\"",
      "x = 1\\", "x = 1\\\n", "x \\ = 1", "·a = 1", "ur'a'", "x = '\\N{no such}'", "x = '\\U00110000'", "x = b'\\x1'", "(a]", "(a", "a)", "x\u{1}",
      "f'{a b}'", "f'{a!x}'", "f'{a!}'", "f'{a! r}'", "f'{!r}'", "f'{ }'", "f'{a:b}c}'", "f'{a'", "f'{a:{b}'", "f'{lambda x: 1}'", "f'{a)}'", "f'\\x1'", "f'{a:\\x1}'",
      "f'{a:{b:{c:{d}}}}'", "f'{x:\ny}'", "f'a\n'", "f'' b''", "t'' ''", "f'{a}' 1", "exec 'x'",
    ])
  func refused(_ text: String) {
    #expect(fault(text) != nil)
    // Nested in what is passed over, a fault is one too.
    if !text.contains("\n"), !text.contains("match"), !text.hasSuffix("\\") {
      #expect(fault("a = 1\ndef f(self):\n  if x:\n    \(text)\nb = 2\n") != nil)
    }
  }

  @Test("Hostile nesting is a fault and never the end of the stack")
  func nesting() {
    func times(_ count: Int, _ text: String) -> String { String(repeating: text, count: count) }
    let deep = 100_000
    for (open, close) in [("(", ")"), ("[", "]"), ("{1:", "}"), ("f(", ")"), ("x[", "]"), ("(x for x in ", ")")] {
      #expect(fault("a = " + times(200, open) + "1" + times(200, close)) == nil, "200 of \(open)")
      #expect(fault("a = " + times(201, open) + "1" + times(201, close)) == "too many nested parentheses (p.py, line 1)")
      #expect(fault("a = " + times(deep, open)) != nil)
    }
    for chain in ["not ", "-", "lambda: ", "lambda a=", "a if b else ", "2 ** ", "f'{", "lambda a=lambda: "] {
      #expect(fault("a = " + times(deep, chain) + "x") != nil, "\(chain)")
    }
    #expect(fault("a = " + times(1000, "not ") + times(1000, "-") + times(1000, "b if c else ") + times(1000, "2 ** ") + "x") == nil)
    for chain in ["a = ", "a + ", "a and ", "a < "] { #expect(fault(times(deep, chain) + "x") == nil, "\(chain)") }
    for chain in [".x", "()", "[0]", " for x in y"] { #expect(fault("f(x" + times(deep, chain) + ")") == nil, "\(chain)") }
    let blocks = (0..<99).map { times($0, " ") + "if x:\n" }.joined()
    #expect(fault(blocks + times(99, " ") + "x") == nil)
    #expect(fault(blocks + times(99, " ") + "if x:\n" + times(100, " ") + "x") == "too many levels of indentation (p.py, line 101)")
    #expect(fault("match x:\n case " + times(deep, "[")) != nil)
    #expect(fault("with " + times(deep, "(")) != nil)
  }

  @Test(
    "Values are what DVC makes of Python's tree",
    arguments: [
      ("x = -(1); y = -(-1); z = +(-1); w = - -1", #"{"x": -1}"#), ("(self).x = 1\n((self).y) = 2", #"{"x": 1, "y": 2}"#),
      ("global q; u = 1\nimport os; v = 2", #"{"u": 1, "v": 2}"#), ("if x: y = 1; z = 2", "{}"),
      ("x = {1: 'a', True: 'b', 1.0: 'c', 0: 'd'}", #"{"x": {"1": "c", "0": "d"}}"#), ("x = f'='; y = 'a' f'b'; z = 1", #"{"z": 1}"#),
      ("x = {1: 2, **a}; y = [*a]; z = {[1]: b}", "{}"), ("class A[T](B, c=1):\n  x: int\n  y: int = 2", #"{"A": {"y": 2}}"#),
      ("x = '\\N{LF}\\N{digit one}'", #"{"x": "\n1"}"#), ("x = 1 # c", #"{"x": 1}"#),
    ])
  func values(_ text: String, _ expected: String) throws {
    let source = SourceText(path: "p.py", bytes: Array(text.utf8))
    #expect(try JSONWriter.text(PythonParameters.parse(source).value) == expected)
  }
}

private let environment = ProcessInfo.processInfo.environment
private let python = environment["CAIRN_DVC_PYTHON"] ?? "/usr/bin/python3"

/// CAIRN_PYTHON_CASES and CAIRN_PYTHON_SEED say how many edits are tried and which.
@Suite(.enabled(if: FileManager.default.isExecutableFile(atPath: python)))
struct PythonDifferentialTests {
  @Test("What Python's own parser takes of random edits is taken, and nothing else")
  func edits() throws {
    let cases = try PythonOracle.lines(
      python, "python_oracle.py",
      [environment["CAIRN_PYTHON_SEED"] ?? "1", environment["CAIRN_PYTHON_CASES"] ?? "3000"])
    #expect(cases.count > 100)
    for line in cases {
      let pair = try #require(JSONSerialization.jsonObject(with: line) as? [Any])
      let text = try #require(pair[0] as? String)
      let (ours, theirs) = (fault(text), pair[1] as? String)
      #expect((ours == nil) == (theirs == nil), "\(text.debugDescription): ours \(ours ?? "takes it"), Python \(theirs ?? "takes it")")
    }
  }
}
