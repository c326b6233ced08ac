"""``python -m benchmarks.localisation``."""

from benchmarks.localisation.run import main

if __name__ == "__main__":
    raise SystemExit(main())
