"""What starting the command line costs: no torch where none is needed."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = {
    "torch",
    "numpy",
    "PIL",
    "matplotlib",
    "jinja2",
    "rich",
    "requests",
    "pooch",
    "safetensors",
}
PROBE = """
import json, resource, sys
from convatlas.cli import main
sys.argv = ["convatlas", *json.loads(sys.argv[1])]
try:
    main()
except SystemExit:
    pass
print(json.dumps(sorted({name.split(".")[0] for name in sys.modules})))
"""


def modules_after(arguments: list[str]) -> set[str]:
    out = subprocess.run(
        [sys.executable, "-c", PROBE, json.dumps(arguments)],
        capture_output=True,
        text=True,
        check=True,
    )
    return set(json.loads(out.stdout.splitlines()[-1]))


@pytest.mark.parametrize(
    "arguments",
    [
        ["--help"],
        ["--version"],
        ["list"],
        ["list", "--json"],
        ["list", "--departures"],
        ["show", "lenet5"],
        ["show", "googlenet", "--training", "--json"],
        ["show", "resnet50", "--stages"],
        ["show", "lenet5", "--input", "20"],
        ["show", "lenet6"],
        ["compare", "lenet5", "alexnet"],
        ["sweep", "resnet18", "--sides", "64,96", "--batch", "1,2"],
        ["doctor", "alexnet-28"],
        ["doctor", "lenet-bn", "--training"],
        ["field", "resnet18"],
        ["field", "3d2 3d2 3d2"],
        ["train", "--help"],
        ["resume", "--help"],
        ["eval", "--help"],
        ["predict", "--help"],
        ["report", "--help"],
        ["no-such-command"],
        ["predict"],
        ["export", "runs/nope"],
        ["export", "lenet6"],
        ["bench", "--help"],
        ["bench", "lenet6"],
        ["bench", "lenet5", "--engines", "eagre"],
        ["bench", "lenet5", "--batch", "0"],
    ],
)
def test_what_needs_no_torch_imports_none(arguments: list[str]) -> None:
    modules = modules_after(arguments)
    assert "click" in modules
    assert not modules & HEAVY


def test_importing_the_package_imports_nothing_heavy() -> None:
    code = "import convatlas, json, sys; print(json.dumps(list(sys.modules)))"
    out = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout
    assert not HEAVY & set(json.loads(out))


def test_the_module_and_the_script_are_the_same_program(tmp_path: Path) -> None:
    script = Path(sys.executable).with_name("convatlas")
    outputs = {
        subprocess.run(command, capture_output=True, text=True, check=True, cwd=tmp_path).stdout
        for command in ([str(script), "list"], [sys.executable, "-m", "convatlas", "list"])
    }
    assert len(outputs) == 1
