"""Connected components: what hangs together through shared footage or people."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)


class Components(Generic[K]):
    """Union-find over keys that are seen together (Tarjan 1975, with path halving)."""

    def __init__(self) -> None:
        self._parent: dict[K, K] = {}

    def join(self, keys: Iterable[K]) -> None:
        """Put all ``keys`` into one component."""
        first: K | None = None
        for key in keys:
            root = self.root(key)
            if first is None:
                first = root
            else:
                self._parent[root] = first

    def root(self, key: K) -> K:
        """Return the component's present representative; a new key is a component of its own."""
        parent = self._parent
        parent.setdefault(key, key)
        while parent[key] != key:
            parent[key] = parent[parent[key]]
            key = parent[key]
        return key


def group_names(keys: Sequence[Sequence[str]]) -> list[str]:
    """Name the component of each item.

    Args:
        keys: For each item the keys that tie it to others; at least one.

    Returns:
        For each item the smallest key of its component, so that the name does not depend on the
        order of the items.
    """
    components: Components[str] = Components()
    for item in keys:
        components.join(item)
    smallest: dict[str, str] = {}
    for item in keys:
        for key in item:
            root = components.root(key)
            smallest[root] = min(key, smallest.get(root, key))
    return [smallest[components.root(item[0])] for item in keys]
