"""
Where a request comes from, as far as that can be believed.

`X-Forwarded-For` is written by whoever sends the request; only what a proxy of ours appended to it counts. So the
header is read from the right, past our own proxies (TRUSTED_PROXIES), and the first address that is not one of them
is the client's. Without trusted proxies the header is not read at all. A proxy that connects to a Unix socket has no
address; "unix" among the trusted ones stands for it.
"""

from collections.abc import Iterable, Sequence
from functools import cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from django.conf import settings

UNKNOWN = "unknown"  # one bucket for all whose address nobody knows: strict, never unlimited
UNIX = "unix"
IPV6_PREFIX = 64  # what one household or host gets; limits count it as one

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network


def client_ip(peer: str | None, headers: Iterable[tuple[bytes, bytes]]) -> str:
    """
    Return the address to count, in its one spelling; an IPv6 address stands for its /64.

    Args:
        peer: the address at the other end of the connection; None or "" on a Unix socket.
        headers: of the request, names in lower case, as ASGI has them.
    """
    trusted = _networks(tuple(settings.TRUSTED_PROXIES))
    found = _parse(peer or "")
    if _is_ours(found, trusted) or (not peer and UNIX in settings.TRUSTED_PROXIES):
        joined = b",".join(value for name, value in headers if name == b"x-forwarded-for")
        for hop in reversed(joined.decode("latin-1").split(",")) if joined else ():
            found = _parse(hop)
            if not _is_ours(found, trusted):
                break
    if found is None:
        return UNKNOWN
    if isinstance(found, IPv6Address):
        return str(IPv6Network((found, IPV6_PREFIX), strict=False))
    return str(found)


def _parse(text: str) -> Address | None:
    try:
        address = ip_address(text.strip().strip("[]"))
    except ValueError:
        return None
    return (address.ipv4_mapped or address) if isinstance(address, IPv6Address) else address


def _is_ours(address: Address | None, trusted: Sequence[Network]) -> bool:
    return address is not None and any(address in network for network in trusted)


@cache
def _networks(names: tuple[str, ...]) -> list[Network]:
    return [ip_network(name, strict=False) for name in names if name != UNIX]
