"""Pictures of links, as other sites fetch them: what everybody may see, as it is now."""

import threading
from collections import OrderedDict
from collections.abc import Callable

from django.contrib.auth.models import AnonymousUser
from django.db import close_old_connections, connection
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.cache import patch_vary_headers
from django.utils.translation import get_language
from django.views.decorators.http import require_safe

from apps.errors import NotFound
from apps.eventlog import log
from apps.eventlog.log import PUBLIC
from apps.tournaments.selectors import lists
from apps.tournaments.selectors import pages as selectors
from apps.tournaments.selectors.snapshots import match_snapshot, tournament_snapshot
from apps.web.present.names import Names
from apps.web.present.shown import match_shown
from apps.web.share import sentences
from apps.web.share.card import Card, drawn

Key = tuple[str, str, int, str]  # what it is of, the epoch and seq of its log, the language

_KEPT = 100  # pictures of 30 KB
_kept: OrderedDict[Key, bytes] = OrderedDict()
_drawing = threading.Lock()  # a link that spreads is drawn once, and drawing never takes more than one core


@require_safe
def tournament(request: HttpRequest, tournament_id: int) -> HttpResponse:
    try:
        row, _role = lists.tournament_for(AnonymousUser(), tournament_id)
    except NotFound as error:
        raise Http404(error.message) from error

    def card() -> Card:
        return sentences.of_tournament(tournament_snapshot(tournament_id, audience=PUBLIC).data)

    return _picture(request, f"tournament:{tournament_id}", row.stream, card)


@require_safe
def match(request: HttpRequest, match_id: int) -> HttpResponse:
    try:
        row, _role = lists.match_for(AnonymousUser(), match_id)
    except NotFound as error:
        raise Http404(error.message) from error

    def card() -> Card:
        state = match_snapshot(match_id).data
        names = Names(state["stages"].values(), selectors.neighbours(row).last_rounds)
        return sentences.of_match(state, match_shown(state, state["matches"][str(match_id)]), names)

    return _picture(request, f"match:{match_id}", row.tournament.stream, card)


def _picture(request: HttpRequest, name: str, stream: str, card: Callable[[], Card]) -> HttpResponse:
    """
    Answer with the picture at the present position of the log, or 304 to whoever has it.

    A picture may be newer than the position that it is kept under, never older: the position is read first.
    """
    position = log.positions([stream])[stream]
    key = (name, position.epoch, position.seq, get_language() or "")
    tag = f'"{":".join(map(str, key))}"'
    if request.headers.get("If-None-Match") == tag:
        response = HttpResponse(status=304)
    else:
        response = HttpResponse(_once(key, card), content_type="image/png")
    response["ETag"] = tag
    response["Cache-Control"] = "public, max-age=60"
    patch_vary_headers(response, ("Accept-Language", "Cookie"))  # its words are the reader's
    return response


def _once(key: Key, card: Callable[[], Card]) -> bytes:
    if (found := _kept.get(key)) is not None:
        return found
    if not connection.in_atomic_block:
        close_old_connections()  # who waits for the pen keeps nobody from the database
    with _drawing:
        if key not in _kept:
            _kept[key] = drawn(card())
            if len(_kept) > _KEPT:
                _kept.popitem(last=False)
        _kept.move_to_end(key)
        return _kept[key]
