"""``python -m convatlas`` is the command line."""

from convatlas.cli import main

main()
