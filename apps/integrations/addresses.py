"""
Which addresses this site connects to because somebody typed them in: public ones, and those that the operator allows.

A name is looked up, every address that it has is judged, and the connection goes to one of those, so that a name
cannot mean one thing when it is judged and another when it is used. Other spellings of an address (decimal, octal,
mapped into IPv6) are judged by what they come to.
"""

import re
import socket
from collections.abc import Callable
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from django.conf import settings

from apps.errors import BadRequest
from engine.text import gettext as _

MAX_URL = 2000
_TRIED = 4  # addresses of one name
_PORTS = {"https": 443, "http": 80}
_HOST = re.compile(r"[a-z0-9](?:[a-z0-9._-]*[a-z0-9])?|[0-9a-f:.]*:[0-9a-f:.]*")  # a name, or an address of IPv6

# Global by their registration, and yet no host of somebody's: multicast is left to `is_multicast`.
# https://www.iana.org/assignments/iana-ipv4-special-registry and iana-ipv6-special-registry
_SPECIAL = tuple(
    ip_network(network)
    for network in ("192.0.0.0/24", "192.88.99.0/24", "2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20")
)
_UNICAST = ip_network("2000::/3")  # all that is given out of IPv6
_NAT64 = ip_network("64:ff9b::/96")

Address = IPv4Address | IPv6Address
SocketAddress = tuple[Any, ...]  # as `connect` takes it
Resolver = Callable[[str, int], list[tuple[int, SocketAddress]]]  # families and addresses of a host and port


class Target(NamedTuple):
    """An address of the web in its parts. `path` holds the query, too."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def authority(self) -> str:
        """Host and port as the header Host has them."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"


class NotAllowed(Exception):
    """Raised with a sentence for the organiser when nothing may connect there."""


def look_up(host: str, port: int) -> list[tuple[int, SocketAddress]]:
    """Ask the system's resolver. Raises OSError."""
    return [(family, where) for family, _, _, _, where in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]


def parse(url: str) -> Target:
    """
    Take an address apart.

    Raises:
        BadRequest: not one to which events can be delivered; the sentence says why.
    """
    if len(url) > MAX_URL:
        raise BadRequest(_("An address has at most {most} characters.", most=MAX_URL), field="url")
    if not re.fullmatch(r"[!-~]+", url):
        raise BadRequest(
            _("Write the address without spaces and special letters; a name in its xn-- form."), field="url"
        )
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise BadRequest(_("This is not an address."), field="url") from None
    schemes = _PORTS if settings.WEBHOOK_ALLOWED_NETWORKS else {"https"}
    host = (parts.hostname or "").rstrip(".")
    if parts.scheme not in schemes or not _HOST.fullmatch(host) or port == 0:
        raise BadRequest(_("Write the whole address, for example https://bot.example.org/hook."), field="url")
    if parts.username is not None or parts.fragment:
        raise BadRequest(_("Leave the user name and whatever follows # out of the address."), field="url")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    target = Target(parts.scheme, host, port or _PORTS[parts.scheme], path)
    try:
        judge(target, _literal(host, target.port))
    except NotAllowed as reason:
        raise BadRequest(reason.args[0], field="url") from None
    return target


def addresses_of(target: Target, resolve: Resolver = look_up) -> list[tuple[int, SocketAddress]]:
    """
    Look a host up and return where to connect to, at least one.

    Raises:
        NotAllowed: one of its addresses is none that this site connects to.
        OSError: it cannot be found.
    """
    found = resolve(target.host, target.port)
    judge(target, found)
    if not found:
        raise NotAllowed(_("The host has no address."))
    return found[:_TRIED]


def judge(target: Target, found: list[tuple[int, SocketAddress]]) -> None:
    """Pass if this site may connect to all of these. Raises NotAllowed."""
    for _family, where in found:
        address = _meant(ip_address(str(where[0]).partition("%")[0]))
        if any(address in network for network in settings.WEBHOOK_ALLOWED_NETWORKS):
            continue
        if not is_public(address):
            raise NotAllowed(_("The host is not on the public internet."))
        if target.scheme != "https":
            raise NotAllowed(_("The address has to begin with https://."))


def is_public(address: Address) -> bool:
    """Return whether an address is that of a host on the public internet."""
    address = _meant(address)
    if address.is_multicast or any(address in network for network in _SPECIAL if network.version == address.version):
        return False
    return address.is_global and (isinstance(address, IPv4Address) or address in _UNICAST)


def _meant(address: Address) -> Address:
    """Return the address of IPv4 that one of IPv6 stands for, where it does."""
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return address.ipv4_mapped
        if address in _NAT64:
            return IPv4Address(int(address) & 0xFFFF_FFFF)
    return address


def _literal(host: str, port: int) -> list[tuple[int, SocketAddress]]:
    """Return the address that a host is, however it is written, or nothing for a name. Asks nobody."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
    except OSError:
        return []
    return [(family, where) for family, _, _, _, where in found]
