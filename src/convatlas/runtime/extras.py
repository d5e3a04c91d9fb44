"""Packages that come with an extra: imported when needed, and named when missing."""

import importlib
import importlib.util
import os
from types import ModuleType

from convatlas.errors import UserError

EXTRAS = {
    "onnx": "export",
    "onnxscript": "export",
    "onnxruntime": "export",
    "openvino": "openvino",
    "nncf": "openvino",
    "starlette": "web",
    "uvicorn": "web",
    "python_multipart": "web",
    "prometheus_client": "web",
}

# what a package is told before it is imported: ONNX Runtime from 1.32 on reports its use to its
# makers, from a database in the home folder
SETTINGS = {"onnxruntime": {"ORT_DISABLE_TELEMETRY": "1"}}


def need(package: str) -> ModuleType:
    """The package (or a module in it), or a `UserError` with the line that installs it."""
    for variable, value in SETTINGS.get(package.partition(".")[0], {}).items():
        os.environ.setdefault(variable, value)
    try:
        return importlib.import_module(package)
    except ModuleNotFoundError as error:
        top = package.partition(".")[0]
        if error.name != top:
            raise
        raise UserError(missing(top)) from None


def missing(package: str) -> str:
    """The line that says that a package is missing and how to install it."""
    return (
        f"{package} is not installed; install it with: pip install 'convatlas[{EXTRAS[package]}]'"
    )


def has(package: str) -> bool:
    """Whether the package is installed; it is not imported."""
    return importlib.util.find_spec(package) is not None


def version_of(package: str) -> str:
    """The version of an installed package, by the name it is installed under."""
    from importlib import metadata  # takes as long to import as all else that predicting needs

    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "not installed"
