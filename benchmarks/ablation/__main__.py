"""``python -m benchmarks.ablation``."""

from benchmarks.ablation.run import main

if __name__ == "__main__":
    raise SystemExit(main())
