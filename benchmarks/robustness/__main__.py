"""``python -m benchmarks.robustness``."""

from benchmarks.robustness.run import main

if __name__ == "__main__":
    raise SystemExit(main())
