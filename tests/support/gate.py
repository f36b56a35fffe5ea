"""A gate in front of a server on loopback, which can make the server vanish or fail in the middle of a test."""

import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Self
from urllib.parse import urlsplit

BROKEN = b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


class Gate:
    """Passes on each connection unchanged until `vanish` or `fail` is called. Its attribute `url` is its own address.

    Args:
        url: the server's address.
    """

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._target = (parts.hostname, parts.port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._sockets: list[socket.socket] = []
        self._is_broken = False
        self.url = url.replace(parts.netloc, f"127.0.0.1:{self._listener.getsockname()[1]}")

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.vanish()

    def vanish(self) -> None:
        """Refuse new connections, and break off those that are open."""
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._break_off()

    def fail(self) -> None:
        """Answer everything with 500 from now on, like a server that cannot write its database."""
        self._is_broken = True
        self._break_off()

    def _break_off(self) -> None:
        while self._sockets:
            with suppress(OSError), self._sockets.pop() as each:
                each.shutdown(socket.SHUT_RDWR)

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                incoming, _ = self._listener.accept()
                self._sockets.append(incoming)
                if self._is_broken:
                    self._start(self._refuse, incoming)
                    continue
                outgoing = socket.create_connection(self._target)
                self._sockets.append(outgoing)
                self._start(self._pump, incoming, outgoing)
                self._start(self._pump, outgoing, incoming)

    def _start(self, act: Callable[..., None], *sockets: socket.socket) -> None:
        threading.Thread(target=act, args=sockets, daemon=True).start()

    def _refuse(self, incoming: socket.socket) -> None:
        with suppress(OSError), incoming:
            incoming.recv(1 << 16)
            incoming.sendall(BROKEN)

    def _pump(self, source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while piece := source.recv(1 << 16):
                target.sendall(piece)
        with suppress(OSError):
            target.shutdown(socket.SHUT_WR)
