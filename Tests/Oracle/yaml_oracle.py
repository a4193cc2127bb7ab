"""Prints cases for YAMLDifferentialTests: what DVC's own YAML code makes of random values and texts.

Run by a Python that can import dvc: yaml_oracle.py write|read SEED COUNT. A line a case: JSON [input, expected].
"""
import datetime
import json
import random
import sys
import warnings

warnings.simplefilter("ignore")
from dvc.utils.serialize._yaml import dumps_yaml, parse_yaml  # noqa: E402

mode, seed, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
rng = random.Random(seed)


def typed(v, depth=0):
    if depth > 50:
        raise ValueError("deep or recursive")
    if v is None:
        return ["n"]
    if isinstance(v, bool):
        return ["b", v]
    if isinstance(v, int):
        return ["i", str(v)]
    if isinstance(v, float):
        return ["f", repr(v)]
    if isinstance(v, str):
        return ["s", v]
    if isinstance(v, (datetime.date, datetime.datetime)):
        return ["t", str(v)]
    if isinstance(v, dict):
        return ["m", [[typed(k, depth + 1), typed(x, depth + 1)] for k, x in v.items()]]
    if isinstance(v, (list, tuple)):
        return ["l", [typed(x, depth + 1) for x in v]]
    raise TypeError(type(v))


SPECIAL = """yes no on off true True TRUE false null Null ~ y n 1 -1 +1 0o14 014 0x1F 0b11 1e3 1.5e3 .5 5. -.5 1_000 1_0.0_1
.inf -.inf +.inf .INF .nan .NaN +.nan << = - -- --- ... ? : :: a: :a a:b -a ?a # #a a#b a&b &a *a !a |a >a 'a "a %a @a `a [a] {a} a,b ,a
2001-12-14 2001-1-1 2001-12-14T21:59:43Z 12:30:45 190:20:30 0x 0b 0o _ -_ +_ ._ 1._ 1e 1e+ e3 0.1e-5 .1e3 .1e+3 --a a-- a? ?- -? infinity nan None""".split()
WORDS = ["python", "train.py", "--lr", "0.1", "&&", "data/raw.csv", "|", "cat", ">", "out.txt", "a'b", 'say "x"', "é", "日本語", "😀",
         "x" * 30, "y" * 90, "echo", "$HOME", "${item}", "\\", "a:", "#c", "k=v", "-c", "\t", "-", "--flag=" + "z" * 60]


def text():
    k = rng.random()
    if k < 0.2:
        return rng.choice(SPECIAL)
    if k < 0.6:
        return " ".join(rng.choice(WORDS) for _ in range(rng.choice([1, 2, 3, 8, 20, 40])))
    if k < 0.7:
        return rng.choice(["", " ", "\n", "a\nb", "a\nb\n", " a", "a ", "a\n\nb", "\na", "a \nb", "a\n b", "  ", "a  b", "\r\n",
                           "a\r", "\x85", "a\u2028b", "\ufeff", "\x7f", "\x00", "\xa0", "a\tb"])
    if k < 0.8:
        sep = rng.choice(["  ", " ", "\n", " \n", "'", '"'])
        return sep.join(rng.choice(WORDS) for _ in range(rng.choice([2, 10, 30])))
    if k < 0.85:
        return rng.choice(SPECIAL) + rng.choice([" ", ":", "_", "\n", ": x", " #"]) + rng.choice(SPECIAL)
    return "".join(rng.choice("ab 01.:-#'\"\\\n\t,[]{}&*!|>%@`?é😀_eE+") for _ in range(rng.choice([1, 2, 3, 5, 12, 60, 130, 200])))


def scalar():
    k = rng.random()
    if k < 0.6:
        return text()
    if k < 0.7:
        return rng.choice([0, 1, -1, 10**9, 2**63, -(2**70), 10**40, rng.randrange(-(10**6), 10**6)])
    if k < 0.85:
        return rng.choice([0.0, -0.0, 1.0, 0.1, 1e-05, 1e-4, 1e16, 1e15, 123456789012345680.0, 1e22, 1e100, 5e-324, 1.5e-7,
                           float("inf"), float("-inf"), float("nan"), rng.random(), rng.gauss(0, 1) * 10 ** rng.randrange(-20, 30)])
    if k < 0.9:
        return rng.choice([True, False])
    if k < 0.95:
        return None
    # Objects of their own: one that occurs twice would be written as an anchor and an alias.
    if rng.random() < 0.3:
        return datetime.date(2001, 12, rng.randrange(1, 30))
    zone = rng.choice([None, datetime.timezone.utc, datetime.timezone(datetime.timedelta(hours=-5, minutes=-30))])
    return datetime.datetime(2001, 12, 14, 21, 59, 43, rng.choice([0, 100000, 123456]), tzinfo=zone)


def key():
    k = rng.random()
    if k < 0.8:
        return "".join(rng.choice("abcdef_.") for _ in range(rng.choice([1, 3, 8])))
    if k < 0.93:
        return text()
    if k < 0.96:
        return tuple(scalar() for _ in range(rng.randrange(0, 3)))
    return scalar()


def value(depth):
    k = rng.random()
    if depth <= 0 or k < 0.35:
        return scalar()
    if k < 0.7:
        return {key(): value(depth - 1) for _ in range(rng.randrange(0, 4))}
    return [value(depth - 1) for _ in range(rng.randrange(0, 4))]


FRAGMENTS = r"""a: 1
- x
- - y
k: v
  k: v
? a
: b
[a, b]
{a: 1}
{a}
[a:b]
{a:1}
{"a":1}
[a: b]
"a":1
'x': y
&a v
*a
!!str 1
!!int "3"
! 1
! "1"
# c
a #c
a#
    x
 - y
-
:
?
,
[
]
{
}
"a
a"
'a
a'
|
>
k: |
k: >
k: |-
k: |2
k: >+
- |
text here
more: text
<<: *a
<<: [*a, *b]
b: &b {x: 1}
a: &a {y: 2}
---
...
%YAML 1.2
%YAML 1.1
%TAG ! tag:x
<T>
<T>x
k:<T>v
- <T>x
k: <T>v
k: v<T>
k: v <T># c
a: b: c
a:: b
a ::b
::
:a
?a
-a
- - - z
[a,b]
[a,,b]
[,]
{a: }
{a: 1,}
{? a : b}
[? a : b]
x: [
  1, 2
  ]
é: ü
日: 本
"\u00e9"
"\x41\n"
"\/"
"\'"
"a\
  b"
'a
  b'
''''
@x
`x
%x
a%b
k: %x
k: @x
k: !x y
k: !<tag:yaml.org,2002:str> 1
k: !!null x
k: !!float 1
k: !!bool yes
k: !!timestamp 2001-01-01
k: !!omap [a: 1]
k: !!pairs [a: 1]
k: !!seq [a]
k: !!map {a: 1}
a: 2
A: 2
1: x
1.0: y
true: z
[a]: b
{a: 1}: b
[1, [2]]: x
- a: 1
  b: 2
   b: 2
k:
  - x
key with spaces: v
http://x.y/z
url: http://x
a: 'b' c
a: "b" c
a: [b] c
x: y #z
x: y#z
x: #z
x: "a" #b
x: "a"#b
[a#b]
[a #b
-<T>x
?<T>x
<R>
a<R>b
<N>
a<N>b
a<L>b
<B>
<B>a: 1
k: &x
k: &a1 [*a1]
k: &a-b x
k: &a.b x
k: *a-b
k: &a: x
*a : x
&k key: v
! a: b
--- a
--- >
... #x
a: ---
a: ...
---a
[---]
a: - b
a: ? b
- ? a
a: -
[-]
[- a]
[-1, -a]
{- a: 1}
[a, -]
[?]
[?a]
{?a: b}
{a?: b}
[:]
[:a]
[a:]
[a: ]
[::]
{:a}
{a:}
{a::b}
{"a"}
["a":b]
[[a]:b]
[{a: 1}:b]
{a: [b}
[a, [b, c], {d: e}]
[a b, c d]
[a
- [a
- {a
  b}
  , c]
cmd: python a.py {x: 1}
cmd: echo "a: b" > c
cmd: echo [a] & b
cmd: a, b
cmd: >-
  a b
    c d
  e

k: "a

  b"
k: a
  b
  c: d
k: ${a}
k: {${a}: 1}
[${a}, b]
${a}: b
x: {a: ${b}}
x: {a: "${b}"}
x: a/b:c
x: [a/b:c, d]
x: {p: a:b}
x: {p: http://a.b/c, q: 1}
x: [http://a.b/c]
x: [a?b]
x: {a: b?}
x: ["a", 'b']""".replace("<T>", "\t").replace("<R>", "\r").replace("<N>", "\x85").replace("<L>", "\u2028").replace("<B>", "\ufeff").split("\n")


def document():
    k = rng.random()
    if k < 0.35:
        prefix = rng.choice(["", "k: ", "- ", "[", "{a: "])
        suffix = {"[": "]", "{a: ": "}"}.get(prefix, "")
        plain = rng.choice(SPECIAL) if rng.random() < 0.5 else "".join(rng.choice("0123456789_.eE+-xob:TZ infax~") for _ in range(rng.choice([1, 2, 3, 4, 6, 10, 19])))
        return prefix + plain + suffix + rng.choice(["", "\n"])
    if k < 0.5:
        try:
            return dumps_yaml(value(3))
        except Exception:
            return "a: 1\n"
    lines = [rng.choice(FRAGMENTS) for _ in range(rng.choice([1, 1, 2, 2, 3, 4, 6]))]
    return rng.choice(["\n", "\n", "\n", "\r\n", "\n  "]).join(lines) + rng.choice(["", "\n"])


done = 0
while done < count:
    if mode == "write":
        v = value(3)
        if not isinstance(v, (dict, list, datetime.date)) and rng.random() < 0.7:
            v = {"k": v, "l": [v]}
        try:
            line = [typed(v), dumps_yaml(v)]
        except Exception:
            continue
    else:
        source = document()
        try:
            line = [source, typed(parse_yaml(source, "x"))]
            if line[1] == ["m", []]:
                line[1] = ["empty"]
        except (TypeError, Exception, RecursionError) as exc:
            cause = getattr(exc, "__cause__", None) or exc
            line = [source, ["error", type(cause).__name__ + ": " + str(cause)[:200]]]
    print(json.dumps(line))
    done += 1
