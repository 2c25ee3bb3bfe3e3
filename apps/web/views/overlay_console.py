"""The organiser's page of overlays: each with its address, its options and a preview; and which match is on stream."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from apps.errors import BadRequest
from apps.tournaments.selectors.overlays import addresses_of
from apps.tournaments.services import Done, on_stream
from apps.web.commands import actor, carry_out
from apps.web.overlay_options import KINDS, POSITIONS, SCALES, THEMES, TITLES, Kind, Options, options_in
from apps.web.pages import Failure, page, show
from apps.web.present.names import group_name
from apps.web.views.manage import staff_visit
from apps.web.views.tournaments import Visit

_MAX_DIGITS = 18

_SHOWS = {
    "scoreboard": gettext_lazy("Names, score and games of the match on stream."),
    "bracket": gettext_lazy("Where the two come from, and where the winner goes."),
    "veto": gettext_lazy("The veto of the match on stream, step by step."),
    "next": gettext_lazy("The matches that come next, with time and station."),
    "standings": gettext_lazy("The tables of groups, a round robin or a Swiss."),
    "results": gettext_lazy("The last results side by side, the latest first."),
    "check-in": gettext_lazy("Counts down to check-in, then to the start."),
}
_THEME_NAMES = {
    "dark": gettext_lazy("Dark"),
    "light": gettext_lazy("Light"),
    "accent": gettext_lazy("The tournament's colour"),
}
_POSITION_NAMES = {
    "top-left": gettext_lazy("Top left"),
    "top": gettext_lazy("Top"),
    "top-right": gettext_lazy("Top right"),
    "left": gettext_lazy("Left"),
    "center": gettext_lazy("Centre"),
    "right": gettext_lazy("Right"),
    "bottom-left": gettext_lazy("Bottom left"),
    "bottom": gettext_lazy("Bottom"),
    "bottom-right": gettext_lazy("Bottom right"),
}


@dataclass(frozen=True, slots=True)
class Choice:
    """An option as a select shows it: `values` are (value, word, whether it is chosen), the usual one first or ""."""

    name: str
    label: str | Promise
    values: list[tuple[str, str | Promise, bool]]


@dataclass(frozen=True, slots=True)
class Card:
    """An overlay on the page. `base` is its address with no option, `address` that with those that were chosen."""

    kind: str
    title: str | Promise
    what: str | Promise
    base: str
    address: str
    choices: list[Choice]
    is_open: bool


@page
def overlays(request: HttpRequest, tournament_id: int, *, failure: Failure | None = None) -> HttpResponse:
    """Show all overlays. The query holds what was chosen for one of them, `kind`."""
    seen = staff_visit(request, tournament_id, "manage-overlays")
    addresses = {kind: request.build_absolute_uri(path) for kind, path in addresses_of(seen.tournament).items()}
    here = next((match for match in seen.context["all_matches"] if match.on_stream), None)
    seen.context.update(
        {
            "cards": [_card(kind, addresses[kind.name], request.GET, seen) for kind in KINDS.values()],
            "m": here,
            "place": seen.names.place(here) if here else "",
        }
    )
    regions = {"head": "web/tournament/_head.html", "tabs": "web/manage/_tabs.html", "on": "web/manage/_streamed.html"}
    response = show(request, "web/manage/overlays.html", seen.context, regions=regions, live=seen.live, failure=failure)
    response["Cache-Control"] = "no-store"  # the addresses are keys
    return response


@require_POST
def set_on_stream(request: HttpRequest, tournament_id: int) -> HttpResponse:
    def act() -> Done:
        sent = request.POST.get("match", "")
        if sent and not (sent.isascii() and sent.isdigit() and len(sent) <= _MAX_DIGITS):
            raise BadRequest(_("Choose one of the matches."), field="match")
        return on_stream.set_on_stream(actor(request), tournament_id, match_id=int(sent) if sent else None)

    host = reverse("manage", args=[tournament_id])
    said = _("The match is on stream.") if request.POST.get("match") else _("No match is on stream.")
    return carry_out(request, act, form="on-stream", done=said, host=host)


@require_POST
def renew(request: HttpRequest, tournament_id: int) -> HttpResponse:
    def act() -> Done:
        return on_stream.renew_overlays(actor(request), tournament_id)

    host = reverse("manage-overlays", args=[tournament_id])
    said = _("The addresses are new. Those from before have ended.")
    return carry_out(request, act, form="renew-overlays", done=said, host=host)


def _card(kind: Kind, base: str, query: Mapping[str, str], seen: Visit) -> Card:
    chosen = query if query.get("kind") == kind.name else {}
    choices = _choices(kind, options_in(kind, chosen), seen)
    named = {choice.name: value for choice in choices for value, _word, is_chosen in choice.values[1:] if is_chosen}
    address = f"{base}&{urlencode(named)}" if named else base
    return Card(kind.name, TITLES[kind.name], _SHOWS[kind.name], base, address, choices, is_open=bool(chosen))


def _choices(kind: Kind, chosen: Options, seen: Visit) -> list[Choice]:
    """Return what can be chosen. The first value of each is what the overlay does by itself: no address names it."""
    state = seen.live.state
    usual = options_in(kind, {})
    places = [(name, _POSITION_NAMES[name]) for name in POSITIONS]
    found = [
        _choice("theme", _("Colours"), [(name, _THEME_NAMES[name]) for name in THEMES], usual.theme, chosen.theme),
        _choice("position", _("Position"), places, usual.position, chosen.position),
        _choice("scale", _("Size"), [(str(s), f"{s} %") for s in SCALES], str(usual.scale), str(chosen.scale)),
    ]
    languages = [("", _("Of the program that shows it")), *settings.LANGUAGES]
    found.append(_choice("lang", _("Language"), languages, "", chosen.lang))
    if kind.rows:
        rows = [(str(number), str(number)) for number in range(1, kind.most + 1)]
        found.append(_choice("rows", _("Rows"), rows, str(usual.rows), str(chosen.rows)))
    if "station" in kind.takes and state["stations"]:
        stations = [("", _("The match on stream") if "match" in kind.takes else _("All"))]
        stations += [(str(row["id"]), row["name"]) for row in state["stations"].values()]
        found.append(_choice("station", _("Station"), stations, "", str(chosen.station or "")))
    if "match" in kind.takes and seen.context["all_matches"]:
        matches = [("", _("The match on stream"))]
        matches += [
            (str(m.id), f"{m.number}: {m.home.name or '?'} – {m.away.name or '?'}") for m in seen.context["all_matches"]
        ]
        found.append(_choice("match", _("Always the match"), matches, "", str(chosen.match or "")))
    if "stage" in kind.takes and len(seen.context["stages"]) > 1:
        stages = [("", _("All")), *((str(stage.number), stage.name) for stage in seen.context["stages"])]
        found.append(_choice("stage", _("Stage"), stages, "", str(chosen.stage or "")))
    groups = max((row["group"] for row in state["stage_entries"].values()), default=0)
    if "group" in kind.takes and groups > 1:
        named = [("", _("All")), *((str(number), group_name(number)) for number in range(1, groups + 1))]
        found.append(_choice("group", _("Group"), named, "", str(chosen.group or "")))
    return found


def _choice(name: str, label: str, values: list[tuple[Any, Any]], usual: str, chosen: str) -> Choice:
    first = sorted(values, key=lambda value: value[0] != usual)
    return Choice(name, label, [("" if value == usual else value, word, value == chosen) for value, word in first])
