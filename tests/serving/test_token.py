from pathlib import Path

import pytest
from starlette.requests import Request

from convatlas.errors import UserError
from convatlas.serving.problems import Problem
from convatlas.serving.token import VARIABLE, check, read_token

TOKEN = "0123456789abcdef"


def request(authorization: str | None) -> Request:
    headers = [] if authorization is None else [(b"authorization", authorization.encode("latin-1"))]
    return Request({"type": "http", "headers": headers})


@pytest.mark.parametrize("given", [f"Bearer {TOKEN}", f"bearer {TOKEN}", f"BEARER  {TOKEN} "])
def test_the_token_opens(given: str) -> None:
    check(request(given), TOKEN)


@pytest.mark.parametrize(
    "given", [None, "", TOKEN, f"Basic {TOKEN}", "Bearer", f"Bearer {TOKEN}x", "Bearer \xff\xfe"]
)
def test_anything_else_does_not(given: str | None) -> None:
    with pytest.raises(Problem) as problem:
        check(request(given), TOKEN)
    assert problem.value.status == 401
    assert problem.value.headers == {"WWW-Authenticate": "Bearer"}


def test_without_a_token_everything_is_open() -> None:
    check(request(None), None)


def test_it_is_read_from_the_file_else_from_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    assert read_token(None) is None
    monkeypatch.setenv(VARIABLE, "fedcba9876543210")
    assert read_token(None) == "fedcba9876543210"
    (tmp_path / "token").write_text(f"{TOKEN}\n")
    assert read_token(tmp_path / "token") == TOKEN


@pytest.mark.parametrize("text", ["", "short", "two words of enough length", "ü" * 20, "a\nb" * 9])
def test_what_is_no_token_is_refused(text: str, tmp_path: Path) -> None:
    (tmp_path / "token").write_text(text)
    with pytest.raises(UserError, match="one word of at least 16 ASCII characters"):
        read_token(tmp_path / "token")


def test_an_unreadable_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="No such file"):
        read_token(tmp_path / "none")
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    with pytest.raises(UserError, match="not text"):
        read_token(tmp_path / "binary")
