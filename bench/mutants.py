"""Small faults for Python code: mutmut's operators and a few more. What no test should notice is left as it is."""

import difflib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import libcst as cst
from libcst import matchers as m
from mutmut.mutation.mutators import mutation_operators

ALIASES = {"T", "Mode", "Bucket", "Scope", "App", "Origin", "Command"}  # of types
LUA = [("+", "-"), ("-", "+"), ("*", "/"), ("/", "*"), (">", ">="), (">=", ">"), ("==", "~=")]
LUA += [("math.max", "math.min"), ("math.min", "math.max"), ("math.floor", "math.ceil"), ("math.ceil", "math.floor")]

TEXT = m.SimpleStatementLine(body=[m.Expr(m.SimpleString())])
LOG_LINE = m.SimpleStatementLine(body=[m.Expr(m.Call(m.Attribute(m.Name("logger"))))])
LOGGER = m.Assign(targets=[m.AssignTarget(m.Name("logger"))])
ALIAS = m.Assign(targets=[m.AssignTarget(m.Name(m.MatchIfTrue(ALIASES.__contains__)))])
UNION = m.BinaryOperation(operator=m.BitOr())
OPTIONS = m.Decorator(m.Call(m.Name("dataclass")))
LEFT_ALONE = m.Import() | m.ImportFrom() | TEXT | LOG_LINE | LOGGER | ALIAS | UNION | OPTIONS


class Mutant(NamedTuple):
    file: Path
    code: str
    diff: str


def mutants(root: Path, file: Path) -> Iterator[Mutant]:
    """Give every fault of a file, each once."""
    source = (root / file).read_text()
    tree = cst.parse_module(source)
    seen = {source}
    for node in _worth_breaking(tree):
        for broken in _faults(node):
            code = tree.deep_replace(node, broken).code
            if code not in seen:
                seen.add(code)
                diff = difflib.unified_diff(source.splitlines(), code.splitlines(), n=0, lineterm="")
                place, *lines = list(diff)[2:]
                yield Mutant(file, code, "\n".join([f"{file.name} {place}", *lines]))


def _worth_breaking(node: cst.CSTNode) -> Iterator[cst.CSTNode]:
    if m.matches(node, LEFT_ALONE):
        return
    if isinstance(node, cst.Annotation):  # only constraints do something
        for call in m.findall(node, m.Call()):
            yield from _worth_breaking(call)
        return
    yield node
    for child in node.children:
        yield from _worth_breaking(child)


def _faults(node: cst.CSTNode) -> Iterator[cst.CSTNode]:
    if isinstance(node, cst.SimpleString):
        if node.value.startswith('"""'):
            yield from (node.with_changes(value=script) for script in _lua_faults(node.value))
        elif " " not in node.value:  # a sentence
            yield node.with_changes(value=f'{node.prefix}"XX{node.raw_value}XX"')
        return
    for kind, operator in mutation_operators:
        if isinstance(node, kind):
            yield from operator(node)
    if m.matches(node, m.Expr(m.Call() | m.Await())):
        yield cst.Pass()
    if isinstance(node, cst.Return) and node.value and not m.matches(node.value, m.Name("None")):
        yield node.with_changes(value=cst.Name("None"))
    if isinstance(node, cst.If):
        test = node.test.with_changes(lpar=[cst.LeftParen()], rpar=[cst.RightParen()])
        yield node.with_changes(test=cst.UnaryOperation(cst.Not(), test))


def _lua_faults(script: str) -> Iterator[str]:
    lines = script.split("\n")
    for number, line in enumerate(lines):
        changed = [""] if line.strip().startswith("redis.call(") else []
        if not line.startswith("--"):
            for old, new in LUA:
                places = re.finditer(rf"(?<=\s){re.escape(old)}(?=\s)|{re.escape(old)}(?=\()", line)
                changed += [line[: place.start()] + new + line[place.end() :] for place in places]
        yield from ("\n".join([*lines[:number], other, *lines[number + 1 :]]) for other in changed)
