"""
Discord, Twitch and Steam, as far as signing in needs them, on a real port: what they check, this checks.

`person` is who sits before the browser there; None says no. The parts of an answer that a test changes on purpose are
attributes.
"""

import json
import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

import pytest
from allauth.socialaccount.providers.discord.views import DiscordOAuth2Adapter
from allauth.socialaccount.providers.twitch.views import TwitchOAuth2Adapter

from apps.accounts.steam.provider import SteamProvider

APPS = {
    "discord": {"APP": {"client_id": "1001", "secret": "the secret of discord"}},
    "twitch": {"APP": {"client_id": "2002", "secret": "the secret of twitch"}, "VERIFIED_EMAIL": True},
    "steam": {"APP": {"client_id": "steam", "secret": "THEKEYOFSTEAM"}},
}
STEAM_ID = "76561197960287930"


@dataclass
class StandIn:
    address: str = ""
    person: dict[str, Any] | None = None
    codes: dict[str, tuple[str, dict[str, Any]]] = field(default_factory=dict)  # code: (redirect_uri, person)
    tokens: dict[str, dict[str, Any]] = field(default_factory=dict)
    assertions: set[str] = field(default_factory=set)  # signatures that have not been asked about
    told: dict[str, str] = field(default_factory=dict)  # replaces fields of Steam's assertion before it is signed
    knows_names: bool = True

    def authorize(self, query: dict[str, str]) -> str:
        """Return where the browser is sent: OAuth 2.0, authorisation code."""
        back = query["redirect_uri"]
        assert query["response_type"] == "code"
        assert query["client_id"] in {app["APP"]["client_id"] for app in APPS.values()}
        if self.person is None:
            return f"{back}?{urlencode({'error': 'access_denied', 'state': query['state']})}"
        code = secrets.token_hex(8)
        self.codes[code] = (back, self.person)
        return f"{back}?{urlencode({'code': code, 'state': query['state']})}"

    def token(self, form: dict[str, str]) -> dict[str, Any] | None:
        """Return an access token for a code, once."""
        back, person = self.codes.pop(form.get("code", ""), ("", {}))
        known = {app["APP"]["client_id"]: app["APP"]["secret"] for app in APPS.values()}
        if not back or back != form["redirect_uri"] or known.get(form["client_id"]) != form["client_secret"]:
            return None
        token = secrets.token_hex(8)
        self.tokens[token] = person
        return {"access_token": token, "token_type": "bearer", "expires_in": 600}

    def assertion(self, query: dict[str, str]) -> str:
        """Return where the browser is sent: OpenID 2.0, positive assertion or cancel."""
        back = query["openid.return_to"]
        assert query["openid.mode"] == "checkid_setup"
        assert back.startswith(query["openid.realm"])
        if self.person is None:
            return f"{back}&{urlencode({'openid.ns': query['openid.ns'], 'openid.mode': 'cancel'})}"
        identity = f"https://steamcommunity.com/openid/id/{self.person['steamid']}"
        signature = secrets.token_hex(8)
        self.assertions.add(signature)
        answer = {
            "openid.ns": query["openid.ns"],
            "openid.mode": "id_res",
            "openid.op_endpoint": f"{self.address}/openid/login",
            "openid.claimed_id": identity,
            "openid.identity": identity,
            "openid.return_to": back,
            "openid.response_nonce": f"2026-01-01T00:00:00Z{secrets.token_hex(4)}",
            "openid.assoc_handle": "1234567890",
            "openid.signed": "signed,op_endpoint,claimed_id,identity,return_to,response_nonce,assoc_handle",
            "openid.sig": signature,
        }
        return f"{back}&{urlencode(answer | self.told)}"

    def confirms(self, form: dict[str, str]) -> bool:
        """Return whether an assertion is one of ours; each is confirmed once."""
        assert form["openid.mode"] == "check_authentication"
        known = form["openid.sig"] in self.assertions
        self.assertions.discard(form["openid.sig"])
        return known


class _Handler(BaseHTTPRequestHandler):
    stand_in: StandIn

    def do_GET(self) -> None:
        address = urlsplit(self.path)
        query = dict(parse_qsl(address.query))
        match address.path:
            case "/oauth2/authorize":
                self._redirect(self.stand_in.authorize(query))
            case "/openid/login":
                self._redirect(self.stand_in.assertion(query))
            case "/users/@me":
                person = self.stand_in.tokens.get(self.headers["Authorization"].removeprefix("Bearer "))
                self._json(person or {"message": "401: Unauthorized"}, 200 if person else 401)
            case "/helix/users":
                assert self.headers["Client-ID"] == APPS["twitch"]["APP"]["client_id"]
                person = self.stand_in.tokens.get(self.headers["Authorization"].removeprefix("Bearer "))
                self._json({"data": [person]} if person else {"error": "Unauthorized"}, 200 if person else 401)
            case "/summaries":
                assert query["key"] == APPS["steam"]["APP"]["secret"]
                known = self.stand_in.knows_names
                self._json({"response": {"players": [self.stand_in.person]}} if known else {}, 200 if known else 403)
            case _:
                self._json({}, 404)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        form = {name: values[0] for name, values in parse_qs(body).items()}
        if self.path == "/oauth2/token":
            token = self.stand_in.token(form)
            self._json(token or {"error": "invalid_grant"}, 200 if token else 400)
        else:
            said = "true" if self.stand_in.confirms(form) else "false"
            self._send(200, "text/plain", f"ns:http://specs.openid.net/auth/2.0\nis_valid:{said}\n")

    def _redirect(self, target: str) -> None:
        self.send_response(302)
        self.send_header("Location", target)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _json(self, body: Any, status: int) -> None:
        self._send(status, "application/json", json.dumps(body))

    def _send(self, status: int, kind: str, body: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body.encode())))
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def standing_in(monkeypatch: pytest.MonkeyPatch, settings: Any) -> Iterator[StandIn]:
    """Serve the stand-in, with the site set up for all three and pointed at it."""
    stand_in = StandIn()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"stand_in": stand_in}))
    stand_in.address = f"http://127.0.0.1:{server.server_port}"
    settings.SOCIALACCOUNT_PROVIDERS = APPS
    for adapter, profile in ((DiscordOAuth2Adapter, "/users/@me"), (TwitchOAuth2Adapter, "/helix/users")):
        monkeypatch.setattr(adapter, "authorize_url", f"{stand_in.address}/oauth2/authorize")
        monkeypatch.setattr(adapter, "access_token_url", f"{stand_in.address}/oauth2/token")
        monkeypatch.setattr(adapter, "profile_url", f"{stand_in.address}{profile}")
    monkeypatch.setattr(SteamProvider, "authorize_url", f"{stand_in.address}/openid/login")
    monkeypatch.setattr(SteamProvider, "summaries_url", f"{stand_in.address}/summaries")
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield stand_in
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
