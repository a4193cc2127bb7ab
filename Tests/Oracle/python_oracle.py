"""Prints cases for PythonGrammarTests: whether this Python's own parser takes what random edits make of good sources.

python_oracle.py SEED COUNT. A line a case: JSON [text, null or the error]. What a newer Python takes and this one does
not is left out.
"""
import ast
import json
import random
import re
import sys
import warnings

warnings.simplefilter("ignore")
rng = random.Random(int(sys.argv[1]))
count = int(sys.argv[2])

SOURCES = r'''x = 1; y: int = -2.5e3; z = (1, [2, {"k": None, **q}], {3, *w})
a = b = *c, d = e
(a.b): int = yield x
a[0], (b, *c), [d] = f()
x += yield
#---
def f(a, b: int = 1, /, c=2, *args: x, d, e: str = "s", **kw: y) -> int:
    """doc"""
    global g, h
    return a, *b
#---
async def h(x, *, y=1):
    async with a as b, c: await x
    async for i in y: yield i
    return [z async for z in y if await z]
#---
@dec(a, *b, c=1, **d)
class A(B, metaclass=C, *d, **e):
    x: int
    def __init__(self): self.a = 1; self.b = [1,
        2]
#---
if a: pass
elif b := c:
    x
else:
    if d:
        y
    z
while x < y <= z != w is not v not in u: break
else: continue
#---
for x, *y in *a, b:
    for a.b, c[0] in d: pass
else:
    pass
#---
try:
    raise A from b
except A as e:
    raise
except (B, C): pass
else: pass
finally:
    del a, (b, c), [d.e, f[0]]
#---
with a as b, c() as (d, e), f: pass
with (a as b, c as d.e,): pass
with (a, b) as c: pass
with (yield): x
#---
match x, *y:
    case 1 | -2.5 | 1 + 2j | "s" "t" | None:
        pass
    case A.B(c, d=_, e=[*f, 1]) as g if h := i: j
    case {"k": v, 1: w, a.b: _, **rest}: pass
    case [a, (b), (c,), *_] | (): pass
match[x]: int = case
#---
import a.b as c, d
from ...h.i import (j, k as l,)
from m import *
assert x, "y"
#---
x = a if b else c if d else lambda a, /, b=2, *, c: e
y = not a and not b or -c ** -d + ~e @ f // g % h << i & j | k ^ l > m
#---
f(a, *b, c=1, *d, **e, g=h)
f(x for x in y)(z)[1:2, ::3, ..., *w](a := b, c)
f((a for b, *c in d if e for g in h), 1)
#---
{a: b for a, b in c}, {a for a in b}, [a := 1, *b], (), [], {}, {1: 2, **a}, {*a, b}
(a, *b), (yield), (yield from c), (a := 1), (*a,)
#---
s = "a\x41\u0041\N{DIGIT ONE}\101" 'b\
c' r"\x" u'é' """t
'"' \
"""
b = b"\x00" Rb'\x' bR\'\'\'q\'\'\'
#---
f = f"a{b}c{{d}}{e!r:>{w}}{g=}" "h" rf'\d{x:%Y}' f"""{
  x if y else z
}{(lambda: 1)()}{ {1: 2}[1] }{a:=5}{b!=c}"""
#---
n = 0, 00, 0_0, 1_000, 0xfF_f, 0o17, 0b1_0, 1., .5, 1.5e-3, 1E5, 0j, 1.5J, 09.5, 1if x else 2, [0xfor x in y]
#---
if a:
	if b:
		x

  # comment
	y
else:
        z
'''.replace(r"\'", "'").split("#---\n")
PIECES = (
    "if else elif for in while with as def class lambda yield from import return del not and or is await async try "
    "except finally raise pass None x match case _ 1 1.5 2j 'a' b'b' ( ) [ ] { } , : ; . = := == + - * ** / @ | ~ < "
    "-> ... += ! \\ # \" '"
).split() + ["\n", "\n    ", "\n  ", "\t", " "]
PIECE = re.compile(r"[ \t]+|\n[ \t]*|\w+|\*\*|//|->|:=|[-+*/<>=!]=|\.\.\.|.", re.S)


def edited():
    pieces = PIECE.findall(rng.choice(SOURCES))
    for _ in range(rng.choice([1, 1, 2, 3])):
        at, other = rng.randrange(len(pieces)), rng.randrange(len(pieces))
        kind = rng.random()
        if kind < 0.25:
            del pieces[at]
        elif kind < 0.35:
            pieces.insert(at, pieces[at])
        elif kind < 0.55:
            pieces[at], pieces[other] = pieces[other], pieces[at]
        elif kind < 0.75:
            pieces[at] = rng.choice(PIECES)
        elif kind < 0.9:
            pieces.insert(at, rng.choice(PIECES))
        else:
            text = pieces[at]
            place = rng.randrange(len(text))
            pieces[at] = text[:place] + rng.choice(list("'\"{}\\:!xN_.e01 \t=é") + [""]) + text[place + 1:]
    return "".join(pieces)


def is_newer(text, error):
    """Whether a Python after this one may take what this one refuses."""
    if sys.version_info < (3, 11):
        return True
    if sys.version_info < (3, 12):
        if re.search(r"[fF][rR]?['\"]", text) or re.search(r"\b(type\s+\w|(class|def)\s+\w+\s*\[)", text):
            return True
    return "multiple exception types" in error or bool(re.search(r"[tT][rR]?['\"]", text))


for _ in range(count):
    text = edited()
    try:
        ast.parse(text)
        error = None
    except (SyntaxError, ValueError) as e:
        error = str(e)
        if is_newer(text, error):
            continue
    print(json.dumps([text, error]))
