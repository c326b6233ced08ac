"""``python -m benchmarks.peers``."""

from benchmarks.peers.train import main

if __name__ == "__main__":
    raise SystemExit(main())
