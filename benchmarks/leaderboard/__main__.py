"""``python -m benchmarks.leaderboard``."""

from benchmarks.leaderboard.page import main

if __name__ == "__main__":
    raise SystemExit(main())
