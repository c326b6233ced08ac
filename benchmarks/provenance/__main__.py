"""``python -m benchmarks.provenance matrix|tamper|interop|compression|speed``."""

import sys
from importlib import import_module

PARTS = ("matrix", "tamper", "interop", "compression", "speed")

if __name__ == "__main__":
    name = sys.argv[1] if len(sys.argv) > 1 else ""
    if name not in PARTS:
        sys.exit(f"python -m benchmarks.provenance {'|'.join(PARTS)}")
    raise SystemExit(import_module(f"benchmarks.provenance.{name}").main(sys.argv[2:]))
