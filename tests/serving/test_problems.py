import json

import pytest

from convatlas.serving.openapi import SAID
from convatlas.serving.problems import CLIENT_GONE, Problem, title

# RFC 9110, 15.5 and 15.6, RFC 6585, 5, and for 499 what proxies say
STANDARD = {
    400: "Bad Request",
    401: "Unauthorized",
    404: "Not Found",
    405: "Method Not Allowed",
    408: "Request Timeout",
    413: "Content Too Large",
    415: "Unsupported Media Type",
    422: "Unprocessable Content",
    431: "Request Header Fields Too Large",
    499: "Client Closed Request",
    500: "Internal Server Error",
    501: "Not Implemented",
    503: "Service Unavailable",
    504: "Gateway Timeout",
}


@pytest.mark.parametrize("status", [*SAID, 404, 405, 501, CLIENT_GONE])
def test_a_title_is_the_standards_whatever_pythons(status: int) -> None:
    assert title(status) == STANDARD[status]
    answer = json.loads(bytes(Problem(status, "why").response().body))
    assert answer == {
        "type": "about:blank",
        "title": STANDARD[status],
        "status": status,
        "detail": "why",
    }
