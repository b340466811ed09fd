"""
Run the command line: `python -m handsel`.
"""

from handsel.cli.main import main

if __name__ == "__main__":
    raise SystemExit(main())
