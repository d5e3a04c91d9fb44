"""Requests a second and latency of the prediction server, against serving one at a time.

The load comes from wrk (https://github.com/wg/wrk), a process of its own: each of its clients
sends its next picture when the last is answered. Servers run side by side and are measured in
turn; idle ones take nothing. wrk's own limit is measured on /healthz, which computes nothing.
"""

import argparse
import math
import os
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from record import spread, write_record

PEERS = Path(__file__).with_name("peers")
CLIENTS = (1, 8, 64)
PICTURES = 16
OURS = "convatlas serve"
SIZES = {"resnet18": (500, 375), "lenet-bn": (28, 28)}  # of the pictures sent, in pixels
# Each request is one of the pictures in turn; what is not 200 is counted, and ends the benchmark.
SCRIPT = """
local pictures, turn = {}, 0
for name in io.popen("ls FOLDER/*.jpg"):lines() do
  local file = io.open(name, "rb")
  pictures[#pictures + 1] = file:read("*a")
  file:close()
end
request = function()
  turn = turn % #pictures + 1
  return wrk.format("POST", "/predict", {["Content-Type"] = "image/jpeg"}, pictures[turn])
end
"""


@dataclass(frozen=True, slots=True)
class Load:
    """What wrk saw: requests a second, and milliseconds that 50 and 99 of 100 stay below.

    ``cpu``: the server's processor milliseconds a request, which other work on the machine changes
    least; infinite if no request was answered.
    """

    requests: float
    p50: float
    p99: float
    cpu: float


@dataclass(frozen=True, slots=True)
class Server:
    """A running server."""

    port: int
    pid: int

    def cpu(self) -> float:
        """Processor seconds so far, of all its threads."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=8)
    parser.add_argument("--networks", nargs="+", default=list(SIZES))
    arguments = parser.parse_args()
    if not shutil.which("wrk"):
        sys.exit("wrk is not installed; Debian and Ubuntu have it: apt-get install wrk")
    results = {
        name: network(name, arguments.rounds, arguments.seconds) for name in arguments.networks
    }
    figures = {
        "load": "wrk, 1 thread, on the same two cores as the server; closed loop",
        "seconds": arguments.seconds,
        "networks": results,
    }
    print(write_record("serving", figures))


def network(name: str, rounds: int, seconds: int) -> dict[str, object]:
    """All servers with one network."""
    with tempfile.TemporaryDirectory() as text, ExitStack() as stack:
        folder = Path(text)
        bundle = export(name, folder)
        script = pictures(*SIZES[name], folder)
        serve = [str(Path(sys.executable).with_name("convatlas")), "serve", str(bundle)]
        quiet = ["--log-level", "warning"]
        commands = {
            OURS: [*serve, *quiet],
            "convatlas serve --max-batch 1": [*serve, *quiet, "--max-batch", "1"],
            "Starlette, ONNX Runtime, inline": [
                sys.executable,
                str(PEERS / "serve_inline.py"),
                str(bundle),
            ],
            "FastAPI, torch eager, inline": [
                sys.executable,
                str(PEERS / "serve_eager.py"),
                str(bundle),
            ],
        }
        servers = {label: stack.enter_context(running(c)) for label, c in commands.items()}
        ceiling = wrk(servers[OURS], "/healthz", 64, seconds)
        seen: dict[tuple[int, str], list[Load]] = defaultdict(list)
        for _ in range(rounds):
            for clients in CLIENTS:
                for label, server in servers.items():
                    catch_up(server.port, folder)
                    seen[clients, label].append(wrk(server, str(script), clients, seconds))
                    catch_up(server.port, folder)
    table = {
        str(clients): {label: summary(seen[clients, label]) for label in commands}
        for clients in CLIENTS
    }
    show(name, seen, list(commands))
    return {"picture": SIZES[name], "healthz_at_64": asdict(ceiling), "clients": table}


def summary(loads: Sequence[Load]) -> dict[str, object]:
    return {
        "requests_per_second": spread([load.requests for load in loads]),
        "p50_ms": spread([load.p50 for load in loads]),
        "p99_ms": spread([load.p99 for load in loads]),
        "server_cpu_ms_per_request": spread([load.cpu for load in loads]),
    }


def show(name: str, seen: dict[tuple[int, str], list[Load]], labels: list[str]) -> None:
    for clients in CLIENTS:
        ours = statistics.median(load.requests for load in seen[clients, OURS])
        for label in labels:
            loads = seen[clients, label]
            requests = statistics.median(load.requests for load in loads)
            p50 = statistics.median(load.p50 for load in loads)
            p99 = statistics.median(load.p99 for load in loads)
            cpu = statistics.median(load.cpu for load in loads)
            print(
                f"{name:9} {clients:3} clients  {label:32} {requests:8.1f}/s  "
                f"p50 {p50:7.1f} ms  p99 {p99:7.1f} ms  cpu {cpu:6.2f} ms  "
                f"ours/this {ours / max(requests, 0.01):5.2f}"
            )


def wrk(server: Server, what: str, clients: int, seconds: int) -> Load:
    """Load one path, or with a script pictures."""
    path, script = ("", ["-s", what]) if what.endswith(".lua") else (what, [])
    url = f"http://127.0.0.1:{server.port}{path}"
    command = ["wrk", "-t1", f"-c{clients}", "--timeout", "120s", "--latency", *script, url]
    before = server.cpu()
    text = subprocess.run(
        [*command[:1], f"-d{seconds}s", *command[1:]], check=True, capture_output=True, text=True
    ).stdout
    used = server.cpu() - before
    if "Non-2xx" in text or "Socket errors" in text:
        sys.exit(f"not every request was answered:\n{text}")
    answered = int(found(r"(\d+) requests in", text)[0])
    return Load(
        float(found(r"Requests/sec:\s+([\d.]+)", text)[0]),
        milliseconds(*found(r"50%\s+([\d.]+)(\w+)", text)),
        milliseconds(*found(r"99%\s+([\d.]+)(\w+)", text)),
        1000 * used / answered if answered else math.inf,
    )


def found(pattern: str, text: str) -> tuple[str, ...]:
    match = re.search(pattern, text)
    assert match, text
    return match.groups()


def milliseconds(number: str, unit: str) -> float:
    return float(number) * {"us": 1e-3, "ms": 1.0, "s": 1e3, "m": 6e4}[unit]


def export(name: str, folder: Path) -> Path:
    """A bundle with drawn weights, and pictures prepared as ImageNet's or MNIST's usually are."""
    from dataclasses import replace

    from convatlas.runtime.bundle import Figures, Preparation
    from convatlas.runtime.export import export
    from convatlas.workbench.export import network_of

    network = network_of(name)
    channels, side, _ = network.shape
    how = Preparation(
        side=side,
        mean=Figures(shape=(channels, 1, 1), values=(0.45,) * channels),
        deviation=Figures(shape=(channels, 1, 1), values=(0.225,) * channels),
    )
    (path,) = export(replace(network, preparation=how), "bundle", folder / name).files
    return path


def pictures(width: int, height: int, folder: Path) -> Path:
    """Photographs of nothing: smooth noise as JPEG, about as large as real ones. And the script."""
    rng = np.random.default_rng(0)
    for number in range(PICTURES):
        coarse = rng.integers(0, 256, (height // 8 + 2, width // 8 + 2, 3), np.uint8)
        photo = Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC)
        grain = rng.normal(0, 6, (height, width, 3))
        pixels = np.clip(np.asarray(photo) + grain, 0, 255).astype(np.uint8)
        Image.fromarray(pixels).save(folder / f"{number:02}.jpg", quality=85)
    script = folder / "load.lua"
    script.write_text(SCRIPT.replace("FOLDER", str(folder)))
    return script


@contextmanager
def running(command: list[str]) -> Iterator[Server]:
    """A server at a free port, once it answers."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = subprocess.Popen([*command, "--port", str(port)], stdout=subprocess.DEVNULL)
    try:
        while not answers(port):
            if process.poll() is not None:
                sys.exit(f"{command} ended")
            time.sleep(0.1)
        yield Server(port, process.pid)
    finally:
        process.terminate()
        process.wait()


def catch_up(port: int, folder: Path) -> None:
    """Wait for an answer: the peers compute what clients that are gone had asked for before."""
    picture = sorted(folder.glob("*.jpg"))[0].read_bytes()
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/predict", picture, {"Content-Type": "image/jpeg"}
    )
    urllib.request.urlopen(request, timeout=300).close()


def answers(port: int) -> bool:
    try:
        urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=5).close()
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False
    return True


if __name__ == "__main__":
    main()
