"""A Ray cluster of two nodes on this machine, reachable from this machine alone."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Cluster:
    """Where a cluster is.

    Attributes:
        address: ``HOST:PORT``.
        nodes: The process that leads each node, its head first.
    """

    address: str
    nodes: list[subprocess.Popen[bytes]]

    def lose(self, number: int) -> None:
        """End a node and everything that runs on it, as when its machine loses power."""
        os.killpg(self.nodes[number].pid, signal.SIGKILL)
        self.nodes[number].wait()


def _port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def two_nodes(**environment: str) -> Iterator[Cluster]:
    """Yield a cluster with two nodes of one CPU each.

    The token and the other settings are put into this process's environment meanwhile, so that
    its children can join.
    """
    folder = tempfile.mkdtemp(prefix="fr-", dir="/tmp")  # short: sockets live in it
    settings = {
        "RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(32),
        "RAY_USAGE_STATS_ENABLED": "0", "RAY_worker_niceness": "0", **environment,
    }  # fmt: skip
    before = {name: os.environ.get(name) for name in settings}
    os.environ.update(settings)
    address = f"127.0.0.1:{_port()}"
    ray = [sys.executable, "-m", "ray.scripts.scripts", "start", "--node-ip-address=127.0.0.1",
           "--num-cpus=1", "--object-store-memory=80000000", "--disable-usage-stats"]  # fmt: skip
    nodes: list[subprocess.Popen[bytes]] = []
    try:
        for place in (["--head", f"--port={address.rpartition(':')[2]}",
                       "--include-dashboard=false", f"--temp-dir={folder}"],
                      [f"--address={address}"]):  # fmt: skip
            nodes.append(
                subprocess.Popen(
                    [*ray, *place, "--block"],
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                    start_new_session=True,
                )
            )
            _wait(address, len(nodes))
        yield Cluster(address, nodes)
    finally:
        for node in reversed(nodes):
            node.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                node.wait(15)
            with contextlib.suppress(OSError):
                os.killpg(node.pid, 9)
            node.wait()
        shutil.rmtree(folder, ignore_errors=True)
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def _wait(address: str, count: int) -> None:
    """Wait until so many nodes are there."""
    code = (
        "import ray, sys, time\n"
        "for _ in range(120):\n"
        "    try:\n"
        f"        ray.init(address='{address}', logging_level='ERROR', log_to_driver=False)\n"
        "        break\n"
        "    except Exception: time.sleep(1)\n"
        "for _ in range(120):\n"
        f"    if sum(n['Alive'] for n in ray.nodes()) >= {count}: sys.exit(0)\n"
        "    time.sleep(0.5)\n"
        "sys.exit(1)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.DEVNULL,
                   stderr=subprocess.DEVNULL, timeout=240)  # fmt: skip
