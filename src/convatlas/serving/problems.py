"""Errors as the client sees them: RFC 9457 problem details, one form for all of them."""

from http import HTTPStatus

import msgspec
from starlette.responses import Response

from convatlas.serving.metrics import Why

MEDIA_TYPE = "application/problem+json"
CLIENT_GONE = 499  # no answer was sent; what proxies log for it
# RFC 9110, 15.5; Python before 3.13 has older words for two of them. 499 is in no standard.
TITLES = {
    413: "Content Too Large",
    422: "Unprocessable Content",
    CLIENT_GONE: "Client Closed Request",
}


class Details(msgspec.Struct, frozen=True, kw_only=True):
    """What stands in the body. ``detail`` says what was given, what is taken, the way out."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str


class Problem(Exception):
    """A request that is answered with an error."""

    def __init__(
        self,
        status: int,
        detail: str,
        *,
        headers: dict[str, str] | None = None,
        why: Why | None = None,
    ) -> None:
        super().__init__(detail)
        self.status, self.detail, self.headers = status, detail, headers or {}
        self.why = why  # for the metrics: why it was turned away

    def response(self) -> Response:
        """The answer."""
        return Response(
            msgspec.json.encode(
                Details(title=title(self.status), status=self.status, detail=self.detail)
            ),
            self.status,
            headers=self.headers,
            media_type=MEDIA_TYPE,
        )


def title(status: int) -> str:
    """The status in words."""
    return TITLES.get(status) or HTTPStatus(status).phrase


def busy(seconds: int, why: Why) -> Problem:
    """503 with the time after which it is worth trying again."""
    return Problem(
        503,
        f"the server is busy; try again in {seconds} s",
        headers={"Retry-After": str(seconds)},
        why=why,
    )
