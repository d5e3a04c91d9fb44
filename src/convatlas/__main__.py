"""``python -m convatlas`` is the command line."""

import sys

try:
    from convatlas.cli import main

    main()
except KeyboardInterrupt:  # before `main` can see to it
    sys.exit(130)
