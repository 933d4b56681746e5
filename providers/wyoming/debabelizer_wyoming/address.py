"""Where a Wyoming server is: ``tcp://host:port`` or ``unix:///path``."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import urlsplit

__all__ = ["Address"]


@dataclass(frozen=True, slots=True)
class Address:
    """A server: a host with its port, or the path of a socket.

    Attributes:
        host, port: Of a TCP server.
        path: Of a Unix socket, else empty.
    """

    host: str = ""
    port: int = 0
    path: str = ""

    @classmethod
    def parse(cls, uri: str) -> Address:
        """Read an address.

        Raises:
            ValueError: If it is none.
        """
        try:
            parts = urlsplit(uri)
            host, port = parts.hostname, parts.port
        except ValueError:
            raise ValueError("must be an address: tcp://host:port, or unix:///path") from None
        if parts.query or parts.fragment or parts.username is not None:
            raise ValueError("must be an address and nothing more: Wyoming has no user and no key")
        if parts.scheme == "unix" and parts.path and not parts.netloc:
            return cls(path=parts.path)
        if parts.scheme == "tcp" and host and port and parts.path in {"", "/"}:
            return cls(host, port)
        raise ValueError("must be tcp://host:port, or unix:///path")

    @property
    def is_here(self) -> bool:
        """Whether it is on this machine."""
        if self.path or self.host == "localhost" or self.host.endswith(".localhost"):
            return True
        try:
            return ip_address(self.host).is_loopback
        except ValueError:
            return False

    def __str__(self) -> str:
        if self.path:
            return f"unix://{self.path}"
        return f"tcp://[{self.host}]:{self.port}" if ":" in self.host else f"tcp://{self.host}:{self.port}"
