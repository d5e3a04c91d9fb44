"""Write docs/papers.md and docs/errata.md: ``python -m convatlas.claims [FOLDER]``."""

import sys
from pathlib import Path

from convatlas.claims.pages import write

if __name__ == "__main__":
    write(Path(sys.argv[1] if len(sys.argv) > 1 else "docs"))
