"""Networks of one's own by ``package.module:name``, and what is said when that goes wrong."""

import importlib
import inspect
import traceback
from collections.abc import Callable
from types import ModuleType
from typing import Any

from convatlas.errors import UserError, with_kind
from convatlas.nearest import closest
from convatlas.workbench.place import FORM, here, no_module, parts_of


def imported(place: str) -> Any:
    """What stands at a place, called if it is a class or function; raises `UserError`.

    The working directory is searched first. What the code itself raises is told with the line that
    raised it, and hangs on the error as its cause.
    """
    module_name, parts = parts_of(place)
    found: Any = _module(module_name)
    for number, part in enumerate(parts):
        owner = ".".join((module_name, *parts[:number]))
        found = _attribute(found, part, owner)
    from torch import nn

    if isinstance(found, nn.Module) or not callable(found):
        return found
    return _made(found, place)


def _module(name: str) -> ModuleType:
    with here():
        try:
            return importlib.import_module(name)
        except ModuleNotFoundError as error:
            if error.name and (name == error.name or name.startswith(f"{error.name}.")):
                raise no_module(name) from error
            raise _failed(f"the module {name}", error) from error
        except (Exception, SystemExit) as error:
            raise _failed(f"the module {name}", error) from error


def _attribute(owner: Any, name: str, path: str) -> Any:
    try:
        return getattr(owner, name)
    except AttributeError as error:
        public = tuple(each for each in dir(owner) if not each.startswith("_"))
        raise UserError(f"{path} has no {name!r}{closest(name, public)}; {FORM}") from error


def _made(factory: Callable[..., Any], label: str) -> Any:
    """What a class or function makes when it is called with nothing."""
    try:
        inspect.signature(factory).bind()
    except TypeError as error:
        needed = ", ".join(
            parameter.name
            for parameter in inspect.signature(factory).parameters.values()
            if parameter.default is parameter.empty
            and parameter.kind not in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)
        )
        raise UserError(
            f"{label} needs arguments ({needed}); write a function without any that calls it"
        ) from error
    except ValueError:
        pass  # some callables do not say what they take
    with here():
        try:
            return factory()
        except (Exception, SystemExit) as error:
            raise _failed(label, error) from error


def _failed(what: str, error: BaseException) -> UserError:
    """One line: the kind of error, its text, and the line of code it came from."""
    if isinstance(error, SyntaxError) and error.filename:
        where = f"{error.filename}, line {error.lineno}"
        said = f"{type(error).__name__}: {error.msg}"  # its text has the place, too
    else:
        frame = _own_frame(error)
        where, said = f"{frame.filename}, line {frame.lineno}", with_kind(error)
    return UserError(f"{what} fails with {said} ({where})")


def _own_frame(error: BaseException) -> traceback.FrameSummary:
    """The last line of the asker's own code, or of whatever raised."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [f for f in frames if not any(part in f.filename for part in ("importlib", "-packages"))]
    return own[-1] if own[1:] else frames[-1]  # the first is a line of this file
