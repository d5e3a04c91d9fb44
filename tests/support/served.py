"""A prediction server in a process of its own."""

import subprocess
from dataclasses import dataclass
from pathlib import Path

import httpx2


@dataclass(frozen=True, slots=True)
class Served:
    """A server in a process of its own."""

    process: subprocess.Popen[str]
    line: str
    url: str
    err: Path

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])

    def gauge(self, name: str) -> float:
        """A figure of /metrics."""
        text = httpx2.get(f"{self.url}/metrics").text
        return next(float(x.split()[1]) for x in text.splitlines() if x.startswith(f"{name} "))

    def end(self) -> tuple[int, str]:
        """Exit status and what stood on standard error."""
        status = self.process.wait(timeout=30)
        return status, self.err.read_text()
