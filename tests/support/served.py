"""A prediction server in a process of its own."""

import subprocess
from dataclasses import dataclass

import httpx2


@dataclass(frozen=True, slots=True)
class Served:
    """A server in a process of its own."""

    process: subprocess.Popen[str]
    line: str
    url: str

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])

    def gauge(self, name: str) -> float:
        """A figure of /metrics."""
        text = httpx2.get(f"{self.url}/metrics").text
        return next(float(x.split()[1]) for x in text.splitlines() if x.startswith(f"{name} "))

    def end(self) -> tuple[int, str]:
        """Exit status and what stood on standard error."""
        _, err = self.process.communicate(timeout=30)
        return self.process.returncode, err
