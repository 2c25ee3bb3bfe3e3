"""Small pieces that templates share: icons, times, what was typed, ids of commands."""

import secrets
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode, urljoin

from django import template
from django.conf import settings
from django.forms import BoundField
from django.templatetags.static import static
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.html import format_html, format_html_join, json_script
from django.utils.safestring import SafeString
from django.utils.translation import get_language

from apps.accounts import ways
from apps.tournaments.models import DisputeCause
from apps.web import pages
from apps.web.catalogue import script_words
from apps.web.commands import UNDO
from apps.web.framing import HEIGHTS, frame
from apps.web.modules import graph
from apps.web.present import veto
from apps.web.present.desk import Pick, picks
from apps.web.present.shown import STATUS_LABELS, MatchShown
from apps.web.reader import zone_named
from apps.web.share import sentences
from apps.web.typed_times import as_typed
from apps.words import gettext, moment, number, remembered, said
from engine.text import gettext as _

register = template.Library()


@register.simple_tag
def icon(name: str) -> SafeString:
    """Draw an icon of our sprite, hidden from screen readers: the words beside it say the same."""
    sprite = static("web/img/icons.svg")
    return format_html(
        '<svg class="icon" aria-hidden="true" focusable="false"><use href="{}#{}"></use></svg>', sprite, name
    )


@register.simple_tag
def files_version() -> str:
    """Return what an open page compares later answers with, to know of an upgrade."""
    return pages.files_version()


@register.simple_tag
def modules(*names: str) -> SafeString:
    """Load scripts and, at the same time and not one after the other, all that they import."""
    imported = dict.fromkeys(one for name in names for one in graph(name) if one not in names)
    preloads = format_html_join("\n", '<link rel="modulepreload" href="{}">', ((static(one),) for one in imported))
    scripts = format_html_join("\n", '<script type="module" src="{}"></script>', ((static(name),) for name in names))
    return format_html("{}\n{}", preloads, scripts)


@register.simple_tag(takes_context=True)
def sign_in_offers(context: dict[str, Any]) -> tuple[ways.Offer, ...]:
    """Return the other sites through which people can sign in."""
    return ways.offers(context["request"])


@register.inclusion_tag("web/_share.html", takes_context=True)
def share_tournament(context: dict[str, Any]) -> dict[str, Any]:
    """Tell other sites what a link to this tournament shows. Drafts are nobody's to share."""
    live = context["live"]
    if live is None or context["t"]["status"] == "draft":
        return {}
    about = live.state["tournament"]
    return _shared(context, "tournament", about["id"], about["name"], sentences.tournament_sentence(live.state))


@register.inclusion_tag("web/_share.html", takes_context=True)
def share_match(context: dict[str, Any]) -> dict[str, Any]:
    """Tell other sites what a link to this match shows."""
    shown, about = context["m"], context["tournament"]
    if about.status == "draft":
        return {}
    sentence = f"{about.name} · {context['place']} · {shown.label}"
    return _shared(context, "match", shown.id, sentences.match_title(shown), sentence)


def _shared(context: dict[str, Any], page: str, id_: int, title: str, sentence: str) -> dict[str, Any]:
    site = settings.SITE_URL or context["request"].build_absolute_uri("/")
    return {
        "title": title,
        "sentence": sentence,
        "address": urljoin(site, reverse(page, args=[id_])),
        "picture": urljoin(site, f"{reverse(f'{page}-share', args=[id_])}?v={context['live'].position.seq}"),
    }


@register.simple_tag
def words() -> SafeString | str:
    """Give scripts their words in the reader's language; nothing where that is English, in which they are written."""
    found = script_words(get_language() or "en")
    return json_script(found, "words") if found else ""


@register.simple_tag
def command_id() -> str:
    """Return an id for one submission of a form: sent twice, it has one effect."""
    return secrets.token_hex(16)


@register.simple_tag
def when(value: datetime | str | None, form: str = "datetime") -> SafeString | str:
    """
    Show a time in the viewer's zone, or in UTC where the zone is not known; the browser puts that right.

    form: "datetime", "date", "time" (minutes), "clock" (seconds), or "until": the browser counts down to it.
    """
    at = parse_datetime(value) if isinstance(value, str) else value
    if at is None:
        return ""
    is_known = timezone.get_current_timezone() is not timezone.get_default_timezone()
    if form == "until":
        text = gettext("until {time}", time=moment(at))
    elif form == "time" and abs(timezone.now() - at) > timedelta(days=1):
        text = moment(at, "day", zone=not is_known)
    else:
        text = moment(at, form, zone=not is_known or form == "datetime")
    machine = at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    shown = " data-zoned" if is_known else ""
    return format_html('<time datetime="{}" data-when="{}"{}>{}</time>', machine, form, shown, text)


@register.simple_tag(takes_context=True)
def absolute(context: dict[str, Any], name: str, *args: int) -> str:
    """Return the whole address of a page."""
    return str(context["request"].build_absolute_uri(reverse(name, args=args)))


@register.simple_tag(takes_context=True)
def oembed_of(context: dict[str, Any], page: str) -> str:
    """Return where other sites learn what to show in place of a page of ours."""
    whole = context["request"].build_absolute_uri
    return str(whole(f"{reverse('oembed')}?{urlencode({'url': whole(page), 'format': 'json'})}"))


@register.simple_tag(takes_context=True)
def embed_code(context: dict[str, Any], tournament: dict[str, Any]) -> str:
    """Return the HTML with which another page shows a tournament's stage."""
    source = absolute(context, "embed-bracket", tournament["id"])
    return frame(source, tournament["name"], width="100%", height=HEIGHTS["bracket"])


@register.simple_tag(takes_context=True)
def typed(context: dict[str, Any], form: str, field: str, otherwise: Any = "") -> Any:
    """Return what was typed into a field of the form that was refused, else `otherwise`."""
    failure = context.get("failure")
    if failure is not None and failure.form == form:
        return failure.typed.get(field, "")
    return "" if otherwise is None else otherwise


@register.simple_tag(takes_context=True)
def zone_typed(context: dict[str, Any], form: str) -> str:
    """Return the name of the zone in which the times of a form are: as before if it was refused, else the reader's."""
    sent = str(typed(context, form, "zone"))
    return sent if zone_named(sent) else timezone.get_current_timezone_name()


@register.simple_tag(takes_context=True)
def moment_typed(context: dict[str, Any], form: str, field: str, otherwise: datetime | str | None = None) -> str:
    """Return what was typed into a field of the form that was refused, else a time as one would type it there."""
    return str(typed(context, form, field, as_typed(otherwise or None, zone_typed(context, form))))


@register.filter
def zone_label(name: str) -> str:
    """Return what people call a zone: "America/New York"."""
    return name.replace("_", " ")


@register.simple_tag(takes_context=True)
def invalid(context: dict[str, Any], form: str, field: str = "") -> SafeString | str:
    """Mark the field of the form that was refused, for eyes and for screen readers, and put the cursor there."""
    failure = context.get("failure")
    if failure is None or failure.form != form or (field and failure.about != field):
        return ""
    return format_html(' aria-invalid="true" aria-describedby="{}" autofocus', "failure")


@register.simple_tag(takes_context=True)
def game_rows(
    context: dict[str, Any], form: str, match: MatchShown, *, blank: bool = False
) -> list[tuple[int, str, str]]:
    """Return (number, home, away) for the inputs of each game: as typed, else as reported or played so far."""
    known = [("" if blank else text).partition("–")[::2] for text in match.game]
    return [
        (
            number,
            typed(context, form, f"game{number}_home", home),
            typed(context, form, f"game{number}_away", away),
        )
        for number, (home, away) in enumerate(known, start=1)
    ]


@register.filter
def result_name(won: str) -> str:
    """Return the name of the field that has the score with which this side won."""
    return f"result_{won}"


@register.simple_tag
def dispute_causes() -> list[tuple[str, str]]:
    """Return what a dispute can be about, with its name."""
    return [(value, str(label)) for value, label in DisputeCause.choices]


@register.simple_tag
def picks_of(match: MatchShown, side: str) -> list[Pick]:
    """Return the scores that a player can choose from."""
    return picks(match, side)


@register.simple_tag
def side_of(match: Any, side: str) -> Any:
    """Return one side of a match by its name."""
    return match.home if side == "home" else match.away


@register.simple_tag
def mark_of(marks: Mapping[int, Any], match_id: int) -> Any:
    """Return the mark on a match, or None."""
    return marks.get(match_id)


@register.simple_tag
def seed_name(entrants: Sequence[Any], seed: int) -> str:
    """Return the name of the entrant at a place, counted from 1."""
    return str(entrants[seed - 1]["name"]) if 0 < seed <= len(entrants) else ""


@register.filter
def get(mapping: Any, key: Any) -> Any:
    """Return mapping[key], or nothing."""
    return mapping.get(key, mapping.get(str(key))) if mapping else None


@register.filter
def add_number(text: str, number: int) -> str:
    """Return "tie_3" of "tie_" and 3."""
    return f"{text}{number}"


@register.filter
def status_label(status: str) -> str:
    """Return what people call a tournament's status."""
    return said(STATUS_LABELS.get(status, status))


_ACCOUNT_LABELS = {
    "login": _("User name or e-mail address"),
    "username": _("User name"),
    "email": _("E-mail address"),
    "remember": _("Stay signed in"),
    "oldpassword": _("Present password"),
    "password1": _("Password"),
    "password2": _("Password, once more"),
}


@register.filter
def account_label(field: BoundField) -> str:
    """Return what a field of an account form is called here."""
    return said(_ACCOUNT_LABELS.get(field.name, str(field.label)))


_ANNOUNCED = {
    "bracket_generated": _("The matches are drawn"),
    "round_paired": _("A round is paired"),
    "tournament_started": _("The tournament begins"),
    "match_ready": _("A match can be played"),
    "match_called": _("A match is called to its station"),
    "match_completed": _("A match has a result"),
    "tournament_completed": _("The tournament is over"),
    "announcement_made": _("The organisers announce something"),
}


@register.filter
def announced(event: str) -> str:
    """Return what an event is called where people choose what is announced."""
    return said(_ANNOUNCED.get(event, event))


@register.filter
def face(option: str) -> str:
    """Return what a side of the coin is called; any other option of a veto as it is."""
    return veto.face(option)


@register.filter
def kept(sentence: str) -> str:
    """Return a sentence that was stored, in English, as the reader reads it."""
    return remembered(sentence)


@register.filter
def undo_of(message: Any) -> str:
    """Return the address that takes back what a message is about, or ""."""
    tags = str(message.extra_tags or "")
    return tags.removeprefix(UNDO) if tags.startswith(UNDO) else ""


@register.filter
def of(form: str, row_id: int) -> str:
    """Return the name of a form about one row: "report-5"."""
    return f"{form}-{row_id}"


@register.simple_tag
def since_epoch(seconds: float) -> datetime:
    """Return the time so many seconds after the epoch."""
    return datetime.fromtimestamp(seconds, UTC)


_LONG_MS = 10_000


@register.filter
def ms(value: float | None) -> str:
    """Write a duration in milliseconds: "2.5 ms", "over 10 s", or a dash for none."""
    if value is None:
        return "–"
    if value > _LONG_MS:
        return gettext("over {seconds} s", seconds=_LONG_MS // 1000)
    return number(f"{value:.2g} ms" if value < 1 else f"{value:.3g} ms")
