"""What every page shares: the state it is rendered from, its regions, and the refusals of the layers below."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import wraps
from typing import Any, Concatenate, ParamSpec

from django.contrib.auth.views import redirect_to_login
from django.contrib.staticfiles.storage import staticfiles_storage
from django.core.exceptions import PermissionDenied as Forbidden
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import render
from django.utils import timezone

from apps.errors import AppError, AuthenticationRequired, NotFound
from apps.eventlog.log import Position
from apps.words import said
from engine.projection import State

MATCHES_MOST = 600  # that the browser gets whole, whatever of them is shown: more than any bracket of 256 has

P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, P], HttpResponse]


EVERYWHERE = {"notices": "web/_notices.html"}  # regions of every page of a tournament


@dataclass(frozen=True, slots=True)
class Failure:
    """
    A form that was refused: which one, the sentence for the person, and what was typed, so that nothing is lost.

    `about` names the input that the sentence is about, where there is one; `host` is the page that holds the form.
    `details` are all the sentences, where there are too many for one.
    """

    form: str
    message: str
    status: int
    about: str = ""
    typed: Mapping[str, str] = field(default_factory=dict)
    host: str = ""
    details: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Live:
    """
    How a page stays current: the room it listens to, and the state and position it was rendered from.

    `mine` holds the entry ids of the person looking. `shown`: the ids of the matches that the page has on it, where it
    matters, else None. Of a league of thousands the browser gets those alone, and of the rest how many are in which
    state: 8,128 matches are 6 MB.
    """

    room: str
    position: Position
    state: State
    mine: tuple[int, ...] = ()
    shown: frozenset[int] | None = None

    @property
    def page(self) -> dict[str, Any]:
        """What the browser needs besides the state. `rest`: the first and last ids of runs of matches, by state."""
        rest: dict[str, list[list[int]]] = {}
        for row in self._left_out():
            runs = rest.setdefault(row["state"], [])
            if runs and runs[-1][1] == row["id"] - 1:
                runs[-1][1] = row["id"]
            else:
                runs.append([row["id"], row["id"]])
        known = {"room": self.room, "epoch": self.position.epoch, "seq": self.position.seq, "mine": list(self.mine)}
        return {**known, "rest": rest} if rest else known

    @property
    def embedded(self) -> State:
        """The state that the browser begins with."""
        left_out = {str(row["id"]) for row in self._left_out()}
        if not left_out:
            return self.state
        return {**self.state, "matches": {k: row for k, row in self.state["matches"].items() if k not in left_out}}

    def _left_out(self) -> list[Mapping[str, Any]]:
        matches = self.state["matches"]
        if self.shown is None or len(matches) <= MATCHES_MOST:
            return []
        return [row for row in matches.values() if row["id"] not in self.shown]


def show(
    request: HttpRequest,
    template: str,
    context: Mapping[str, Any],
    *,
    regions: Mapping[str, str] | None = None,
    live: Live | None = None,
    failure: Failure | None = None,
) -> HttpResponse:
    """
    Render a page, or with `?region=` the one part of it that is asked for.

    The answer says in `X-Position` which position of the log it shows, so that the page can tell new from old, and in
    `X-Version` for which version of scripts and styles it was made.
    """
    # A refused form's page is rendered at the address that the form was sent to, where it must not be asked for again.
    here = failure.host if failure else context.get("here", request.path)
    values = {**context, "live": live, "failure": failure, "here": here, "now": timezone.now()}
    part = {**EVERYWHERE, **(regions or {})}.get(request.GET.get("region", "")) if request.method == "GET" else None
    response = render(request, part or template, values, status=failure.status if failure else 200)
    if live is not None:
        response["X-Position"] = f"{live.position.epoch}:{live.position.seq}"
    response["X-Version"] = files_version()
    response["Cache-Control"] = "private, no-cache" if request.user.is_authenticated else "no-cache"
    return response


def files_version() -> str:
    """Return the version of the scripts and styles that pages are made for, "" in development."""
    return str(getattr(staticfiles_storage, "version", ""))


def page(view: View[P]) -> View[P]:
    """Turn what selectors refuse into pages: 404, 403, or the way to sign in."""

    @wraps(view)
    def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        if request.method not in ("GET", "HEAD") and kwargs.get("failure") is None and not kwargs.get("posted"):
            return HttpResponseNotAllowed(["GET", "HEAD"])  # posted to only by a view that has read the form
        try:
            return view(request, *args, **kwargs)
        except NotFound as error:
            raise Http404(said(error.text)) from error
        except AuthenticationRequired:
            return redirect_to_login(request.get_full_path())
        except AppError as error:
            raise Forbidden(said(error.text)) from error

    return guarded
