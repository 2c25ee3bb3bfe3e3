"""Base64 as web push has it: for addresses, without padding (RFC 4648, 5)."""

from base64 import b64decode, urlsafe_b64encode


def encoded(data: bytes) -> str:
    return urlsafe_b64encode(data).decode().rstrip("=")


def decoded(text: str) -> bytes:
    """Return the bytes of a text. Raises ValueError for what is none."""
    return b64decode(text.encode("ascii") + b"=" * (-len(text) % 4), altchars=b"-_", validate=True)
