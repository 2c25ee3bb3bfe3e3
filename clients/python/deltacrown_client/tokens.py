"""Where a room's tokens come from."""

import asyncio
import http.client
import json
import urllib.error
import urllib.request

from deltacrown_client.errors import TokenRefused

PATIENCE = 10.0


async def room_token(site: str, room: str, access_token: str | None = None) -> str:
    """
    Ask the site for a token, which is good for one connection to one room; without an access token, as a guest.

    Raises:
        TokenRefused: there is no such room, or the site is busy.
        OSError: the site cannot be reached.
    """
    return await asyncio.to_thread(_ask, site, room, access_token)


def _ask(site: str, room: str, access_token: str | None) -> str:
    headers = {"Content-Type": "application/json"}
    if access_token is not None:
        headers["Authorization"] = f"Bearer {access_token}"
    body = json.dumps({"room": room}).encode()
    request = urllib.request.Request(f"{site}/api/v1/realtime/token", body, headers)  # noqa: S310 - see Room
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:  # noqa: S310
            return str(json.load(answer)["token"])
    except urllib.error.HTTPError as error:
        with error:
            raise TokenRefused(error.code, retry_after(error.headers.get("Retry-After"))) from None
    except (http.client.HTTPException, ValueError, LookupError, TypeError) as error:
        raise ConnectionError("What answered was not the site.") from error


def retry_after(value: str | None) -> float | None:
    """Return the seconds that a Retry-After says, or None; the form with a date is not used by the site."""
    return float(value) if value is not None and value.isdecimal() else None
