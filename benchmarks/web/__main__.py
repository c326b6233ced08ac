"""``python -m benchmarks.web``."""

from benchmarks.web.run import main

if __name__ == "__main__":
    raise SystemExit(main())
