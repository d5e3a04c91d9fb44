"""Arithmetic written as text, evaluated without running it as code."""

import ast
import operator
from collections.abc import Callable, Mapping
from math import ceil, floor, log2

from convatlas.errors import UserError

Number = int | float
BINARY: dict[type[ast.operator], Callable[[Number, Number], Number]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: operator.pow,
}
FUNCTIONS: dict[str, Callable[[Number], Number]] = {"ceil": ceil, "floor": floor, "log2": log2}
LARGEST = 64  # exponent: nothing printed in a paper needs more


def evaluate(text: str, known: Mapping[str, Number] | None = None) -> Number:
    """The value of whole and decimal numbers, names, ``+ - * / // % **``, ceil, floor and log2.

    Raises `UserError` for anything else.
    """
    try:
        tree = ast.parse(text, mode="eval")
        return _value(tree.body, known or {}, text)
    except (SyntaxError, ZeroDivisionError) as error:
        raise UserError(f"{text!r} cannot be worked out: {error}") from error


def _value(node: ast.expr, known: Mapping[str, Number], text: str) -> Number:
    if isinstance(node, ast.Constant) and type(node.value) in (int, float):
        number: Number = node.value  # type: ignore[assignment]  # the line above says which
        return number
    if isinstance(node, ast.Name) and node.id in known:
        return known[node.id]
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        return -_value(node.operand, known, text)
    if isinstance(node, ast.BinOp) and type(node.op) in BINARY:
        left, right = _value(node.left, known, text), _value(node.right, known, text)
        if isinstance(node.op, ast.Pow) and abs(right) > LARGEST:
            raise UserError(f"{text!r} has an exponent over {LARGEST}")
        return BINARY[type(node.op)](left, right)
    if (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id in FUNCTIONS
        and len(node.args) == 1
        and not node.keywords
    ):
        return FUNCTIONS[node.func.id](_value(node.args[0], known, text))
    raise UserError(
        f"{text!r} is not plain arithmetic; write numbers, the names given beside it, "
        f"+ - * / // % ** and {', '.join(FUNCTIONS)}"
    )
