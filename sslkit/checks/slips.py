"""Slips: small changes of a solution by rule, where no misconception is written down that explains a reader's answer.

A named misconception says what was thought; a slip can only say where. It is what anybody may type: the other axis, sum for mean, a
root forgotten, two arguments exchanged.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache, partial
from itertools import combinations

from sslkit.checks.swaps import body, compiled

OPERATORS: dict[type, tuple[type, ...]] = {
    ast.Add: (ast.Sub, ast.Mult), ast.Sub: (ast.Add,), ast.Mult: (ast.Div, ast.Add), ast.Div: (ast.Mult, ast.FloorDiv),
    ast.FloorDiv: (ast.Div,), ast.MatMult: (ast.Mult,), ast.Lt: (ast.LtE, ast.Gt), ast.LtE: (ast.Lt, ast.GtE),
    ast.Gt: (ast.GtE, ast.Lt), ast.GtE: (ast.Gt, ast.LtE), ast.Eq: (ast.NotEq,), ast.NotEq: (ast.Eq,),
    ast.BitAnd: (ast.BitOr,), ast.BitOr: (ast.BitAnd,),
}  # fmt: skip
NAMES: dict[str, tuple[str, ...]] = {
    "mean": ("sum", "amax"), "sum": ("mean", "amax"), "argmax": ("argmin",), "argmin": ("argmax",), "max": ("min",), "min": ("max",),
    "cross_entropy": ("nll_loss",),
    "var": ("std",), "std": ("var",), "square": ("abs",), "abs": ("square",), "softmax": ("log_softmax",),
    "log_softmax": ("softmax",), "logsigmoid": ("sigmoid",), "sin": ("cos",), "cos": ("sin",), "cat": ("stack",),
    "repeat": ("repeat_interleave",), "repeat_interleave": ("repeat",), "floor": ("ceil", "round"), "round": ("floor", "ceil"),
    "clamp_min": ("clamp_max",), "log": ("log2", "log10"), "exp": ("exp2",),
}  # fmt: skip
MORE = (("softmax", (-1,)), ("log", ()), ("sqrt", ()), ("square", ()), ("abs", ()), ("transpose", (-1, -2)))


@dataclass(frozen=True)
class Slip:
    """before: code of the solution; after: what is in its place; form: the function with the change."""

    before: str
    after: str
    form: Callable

    @property
    def name(self) -> str:
        """What it is called, short."""
        return f"a slip at {self.before if len(self.before) <= 50 else self.before[:49] + '…'}"

    @property
    def explanation(self) -> str:
        """What the reader hears."""
        instead = f"with `{self.after}` in place of" if self.after else "without"
        return f"Your results are those of the solution {instead} `{self.before}`."


@lru_cache(maxsize=64)
def slips(function: Callable) -> tuple[Slip, ...]:
    """All slips of a solution, none twice; () for one with a `while`, which a change may keep from ending."""
    text = body(function)
    tree = ast.parse(text)
    if any(isinstance(node, ast.While) for node in ast.walk(tree)):
        return ()
    raw, starts = text.encode(), [0]
    for line in text.splitlines(keepends=True):
        starts.append(starts[-1] + len(line.encode()))

    def place(node: ast.AST) -> tuple[int, int]:
        """Where the text of a node begins and ends, in bytes."""
        return (
            starts[node.lineno - 1] + node.col_offset,  # type: ignore[attr-defined]
            starts[node.end_lineno - 1] + node.end_col_offset,  # type: ignore[attr-defined]
        )

    found: dict[str, Slip] = {}
    for node, new, around in changes(tree.body[0]):  # type: ignore[arg-type]
        (start, end), (first, last) = place(node), place(around)
        words = ast.unparse(new) if new is not None else ""
        bare = (
            words.isdigit()
            and raw[end : end + 1] != b"."
            or isinstance(new, ast.Name | ast.Slice | ast.Call | ast.Attribute | None)
        )
        put = (words or "pass" if bare else f"({words})").encode()
        changed = (raw[:start] + put + raw[end:]).decode()
        if changed not in found:
            before = " ".join(raw[first:last].decode().split())
            after = words if around is node else " ".join((raw[first:start] + put + raw[end:last]).decode().split())
            found[changed] = Slip(before, after, compiled(function, changed))
    return tuple(found.values())


Change = tuple[ast.AST, ast.AST | None, ast.AST]


def changes(function: ast.FunctionDef) -> Iterator[Change]:
    """Every place that a rule fits, with what comes there, None for nothing, and what is shown around it; the likely ones first."""
    arguments = {argument.arg for argument in function.args.args}
    known = set(arguments)
    for statement in function.body:
        for node in ast.walk(statement):
            if isinstance(node, ast.Assign) and stored(node) <= known:
                yield node, None, node  # what was there before stays
        known |= stored(statement)
    for rule in (others, more, partial(another, sorted(known))):
        for statement in function.body:
            for node, around in expressions(statement, None):
                for new in rule(node):
                    yield node, new, around


def stored(node: ast.AST) -> set[str]:
    """The names that a node assigns to."""
    return {n.id for n in ast.walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}


def expressions(node: ast.AST, around: ast.expr | None, called: bool = False) -> Iterator[tuple[ast.expr, ast.expr]]:
    """The expressions that compute something, with what is shown of each: a name, a number or what is `called` would say nothing
    alone. No messages, no annotations, no names of what is assigned to."""
    if isinstance(node, ast.Raise | ast.JoinedStr | ast.Assert):
        return
    if isinstance(node, ast.expr) and not isinstance(getattr(node, "ctx", None), ast.Store):
        alone = called or isinstance(node, ast.Constant | ast.Name | ast.Slice | ast.Tuple | ast.UnaryOp)
        around = around if alone and around is not None else node
        yield node, around
    for name, value in ast.iter_fields(node):
        if name not in ("annotation", "returns"):
            for child in value if isinstance(value, list) else [value]:
                if isinstance(child, ast.AST):
                    yield from expressions(child, around, called=name == "func")


def others(node: ast.expr) -> Iterator[ast.expr]:
    """What may be typed in place of an expression."""
    match node:
        case ast.BinOp(left, operator, right):
            yield from (ast.BinOp(left, other(), right) for other in OPERATORS.get(type(operator), ()))
            if not isinstance(operator, ast.Add | ast.Mult):
                yield ast.BinOp(right, operator, left)
            yield from (left, right)
        case ast.Compare(left, [operator], [right]):
            yield from (ast.Compare(left, [other()], [right]) for other in OPERATORS.get(type(operator), ()))
            yield left
        case ast.UnaryOp(_, operand):
            yield operand
        case ast.Constant(bool(value)):
            yield ast.Constant(not value)
        case ast.Constant(int(value)):
            yield from (ast.Constant(other) for other in (value - 1, value + 1))
        case ast.Slice(lower, upper, step):
            yield from (ast.Slice(None, upper, step), ast.Slice(lower, None, step))
        case ast.Attribute(value, name):
            if name in ("T", "mT"):
                yield value
            yield from (ast.Attribute(value, other, ast.Load()) for other in NAMES.get(name, ()))
        case ast.Call(function, given, keywords):
            for k in range(len(keywords)):
                yield ast.Call(function, given, keywords[:k] + keywords[k + 1 :])
            if isinstance(function, ast.Attribute) and not isinstance(function.value, ast.Name):
                yield function.value  # (...).sqrt() without the root
            elif given:
                yield given[0]
            if isinstance(function, ast.Attribute):
                yield function.value  # z.square() as z; torch.sqrt as torch fails, and is none
            match function:
                case ast.Attribute(ast.Call(ast.Attribute(value, name), before, named), last):  # x.square().sum()
                    first = ast.Call(ast.Attribute(value, last, ast.Load()), given, keywords)
                    yield ast.Call(ast.Attribute(first, name, ast.Load()), before, named)
            for i, j in combinations(range(len(given)), 2):
                order = [{i: j, j: i}.get(k, k) for k in range(len(given))]
                yield ast.Call(function, [given[k] for k in order], keywords)


def more(node: ast.expr) -> Iterator[ast.expr]:
    """One function too many."""
    if isinstance(node, ast.BinOp | ast.Call | ast.Name):
        for name, given in MORE:
            yield ast.Call(ast.Attribute(node, name, ast.Load()), [ast.Constant(value) for value in given], [])


def another(known: list[str], node: ast.expr) -> Iterator[ast.expr]:
    """Another argument, or another value of before."""
    if isinstance(node, ast.Name) and node.id in known:
        yield from (ast.Name(name, ast.Load()) for name in known if name != node.id)
