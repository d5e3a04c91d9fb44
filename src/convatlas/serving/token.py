"""The bearer token, if one is asked for. It is never on the command line, where `ps` shows it."""

import hmac
import os
from pathlib import Path

from starlette.requests import Request

from convatlas.errors import UserError
from convatlas.serving.problems import Problem

VARIABLE = "CONVATLAS_TOKEN"
SHORTEST = 16


def read_token(file: Path | None) -> str | None:
    """From the file, else from the environment variable; `UserError` for one that is no token."""
    if file is None:
        text, place = os.environ.get(VARIABLE), VARIABLE
    else:
        text, place = _content(file), str(file)
    if text is None:
        return None
    token = text.strip()
    if len(token) < SHORTEST or not token.isascii() or not token.isprintable() or " " in token:
        raise UserError(
            f"{place} holds no token: one word of at least {SHORTEST} ASCII characters is "
            "expected; `openssl rand -hex 32` makes one"
        )
    return token


def check(request: Request, token: str | None) -> None:
    """Raise `Problem` 401 unless the request carries the token; takes as long for any guess."""
    if token is None:
        return
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    same = hmac.compare_digest(given.strip().encode("utf-8"), token.encode("utf-8"))
    if scheme.lower() != "bearer" or not same:
        raise Problem(
            401,
            "a token is needed; send it as: Authorization: Bearer TOKEN",
            headers={"WWW-Authenticate": "Bearer"},
            why="token",
        )


def _content(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except OSError as error:
        raise UserError(f"cannot read the token file {file}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise UserError(f"the token file {file} is not text") from None
