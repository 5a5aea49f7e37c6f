"""After a fork there are two processes with one socket. The parent goes on; in the child, clients are closed."""

from __future__ import annotations

import os
import weakref
from typing import Protocol


class Forkable(Protocol):
    """A client."""

    def _after_fork(self) -> None: ...


_clients: weakref.WeakSet[Forkable] = weakref.WeakSet()


def watch(client: Forkable) -> None:
    """Closes the client in children from now on."""
    _clients.add(client)


def _after_fork_in_child() -> None:
    for client in list(_clients):
        client._after_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork_in_child)


def let_go(descriptor: int) -> None:
    """Closes the child's copy of a socket, and leaves its number in use, since its owner will close that."""
    null = os.open(os.devnull, os.O_RDWR)
    try:
        os.dup2(null, descriptor, inheritable=False)
    finally:
        os.close(null)
