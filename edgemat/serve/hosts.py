"""The names that a server may be asked by.

A stranger's name can be pointed at this machine (DNS rebinding), so that a page of theirs could ask
as if it were edgemat's. An address in place of a name cannot be pointed anywhere.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from urllib.parse import urlsplit

_HTTP_PORT = 80  # which browsers leave out


@dataclass(frozen=True)
class Hosts:
    """What may stand in a request's ``Host``.

    Attributes
    ----------
    listen, port:
        The address that is listened on. Of one that stands for all (0.0.0.0, ::) any address and
        any port will do: a container's are not those that it is asked by.
    """

    listen: str
    port: int

    @property
    def url(self) -> str:
        """The page's address."""
        name = f"[{self.listen}]" if ":" in self.listen else self.listen
        return f"http://{name}:{self.port}/"

    def __contains__(self, host: str) -> bool:
        try:
            told = urlsplit(f"//{host}")
            name, port = told.hostname, told.port or _HTTP_PORT
        except ValueError:
            return False
        if name is None or "@" in host or told.netloc != host:
            return False
        address = _address(self.listen)
        if address is not None and address.is_unspecified:
            return name == "localhost" or _address(name) is not None
        return port == self.port and name in (self.listen.lower(), "localhost")


def _address(name: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(name)
    except ValueError:
        return None
