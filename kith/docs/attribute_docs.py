"""The text under a model's attribute, read from its source: Python itself throws it away."""

import ast
import inspect
import textwrap
from functools import cache


@cache
def attribute_docs(cls: type) -> dict[str, str]:
    """Return attribute → docstring, inherited ones included; the text is one line."""
    found: dict[str, str] = {}
    for base in reversed(cls.__mro__):
        if base.__module__.split(".")[0] not in {"shared", "services", "kith"}:
            continue
        tree = ast.parse(textwrap.dedent(inspect.getsource(base)))
        [definition] = tree.body
        if isinstance(definition, ast.ClassDef):
            found |= _in_class(definition)
    return found


def _in_class(definition: ast.ClassDef) -> dict[str, str]:
    found = {}
    for statement, following in zip(definition.body, definition.body[1:], strict=False):
        if (
            isinstance(statement, ast.AnnAssign)
            and isinstance(statement.target, ast.Name)
            and isinstance(following, ast.Expr)
            and isinstance(following.value, ast.Constant)
            and isinstance(following.value.value, str)
        ):
            found[statement.target.id] = " ".join(following.value.value.split())
    return found
