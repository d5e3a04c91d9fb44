"""`convatlas predict` as a process of its own."""

import subprocess
import sys
from collections.abc import Callable

CONVATLAS = [sys.executable, "-m", "convatlas", "predict"]
RED, GREEN = (255, 0, 0), (0, 255, 0)
Run = Callable[..., subprocess.CompletedProcess[str]]
