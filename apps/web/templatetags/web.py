"""Small pieces that templates share: icons, times, what was typed, ids of commands."""

import secrets
from datetime import UTC, datetime
from typing import Any

from django import template
from django.forms import BoundField
from django.templatetags.static import static
from django.utils.dateparse import parse_datetime
from django.utils.html import format_html
from django.utils.safestring import SafeString

from apps.tournaments.models import DisputeCause
from apps.web.present.desk import Pick, picks
from apps.web.present.shown import STATUS_LABELS, MatchShown

register = template.Library()


@register.simple_tag
def icon(name: str) -> SafeString:
    """Draw an icon of our sprite, hidden from screen readers: the words beside it say the same."""
    sprite = static("web/img/icons.svg")
    return format_html(
        '<svg class="icon" aria-hidden="true" focusable="false"><use href="{}#{}"></use></svg>', sprite, name
    )


@register.simple_tag
def command_id() -> str:
    """Return an id for one submission of a form: sent twice, it has one effect."""
    return secrets.token_hex(16)


@register.simple_tag
def when(value: datetime | str | None, form: str = "datetime") -> SafeString | str:
    """
    Show a time in UTC that the browser turns into the viewer's zone.

    form: "datetime", "date", "time" (minutes), "clock" (seconds), or "until": the browser counts down to it.
    """
    at = parse_datetime(value) if isinstance(value, str) else value
    if at is None:
        return ""
    at = at.astimezone(UTC)
    texts = {
        "datetime": f"{at:%a} {at.day} {at:%b %Y, %H:%M} UTC",
        "date": f"{at.day} {at:%b %Y}",
        "time": f"{at:%H:%M} UTC",
        "clock": f"{at:%H:%M:%S} UTC",
        "until": f"until {at.day} {at:%b %Y, %H:%M} UTC",
    }
    machine = at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return format_html('<time datetime="{}" data-when="{}">{}</time>', machine, form, texts[form])


@register.simple_tag(takes_context=True)
def typed(context: dict[str, Any], form: str, field: str, otherwise: Any = "") -> Any:
    """Return what was typed into a field of the form that was refused, else `otherwise`."""
    failure = context.get("failure")
    if failure is not None and failure.form == form:
        return failure.typed.get(field, "")
    return "" if otherwise is None else otherwise


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
    return list(DisputeCause.choices)


@register.simple_tag
def picks_of(match: MatchShown, side: str) -> list[Pick]:
    """Return the scores that a player can choose from."""
    return picks(match, side)


@register.simple_tag
def side_of(match: Any, side: str) -> Any:
    """Return one side of a match by its name."""
    return match.home if side == "home" else match.away


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
    return STATUS_LABELS.get(status, status)


_ACCOUNT_LABELS = {
    "login": "User name or e-mail address",
    "username": "User name",
    "email": "E-mail address",
    "remember": "Stay signed in",
    "oldpassword": "Present password",
    "password1": "Password",
    "password2": "Password, once more",
}


@register.filter
def account_label(field: BoundField) -> str:
    """Return what a field of an account form is called here."""
    return _ACCOUNT_LABELS.get(field.name, str(field.label))


_ANNOUNCED = {
    "bracket_generated": "The matches are drawn",
    "round_paired": "A round is paired",
    "tournament_started": "The tournament begins",
    "match_ready": "A match can be played",
    "match_called": "A match is called to its station",
    "match_completed": "A match has a result",
    "tournament_completed": "The tournament is over",
}


@register.filter
def announced(event: str) -> str:
    """Return what an event is called where people choose what is announced."""
    return _ANNOUNCED.get(event, event)


@register.filter
def of(form: str, row_id: int) -> str:
    """Return the name of a form about one row: "report-5"."""
    return f"{form}-{row_id}"
