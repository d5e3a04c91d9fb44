"""The arithmetic is plain Python."""

import ast
import sys
from pathlib import Path

import convatlas.arithmetic


def test_nothing_but_the_standard_library_is_imported() -> None:
    folder = Path(convatlas.arithmetic.__file__).parent
    for path in folder.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom):
                name = node.module or ""
                ours = name.startswith("convatlas.arithmetic.") or name == "convatlas.errors"
                assert ours or name.split(".")[0] in sys.stdlib_module_names, (path.name, name)
            assert not isinstance(node, ast.Import) or all(
                alias.name in sys.stdlib_module_names for alias in node.names
            )
