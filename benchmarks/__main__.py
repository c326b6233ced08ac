"""``python -m benchmarks all``."""

from benchmarks.every import main

if __name__ == "__main__":
    raise SystemExit(main())
