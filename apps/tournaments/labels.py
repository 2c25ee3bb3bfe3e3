"""What statuses, formats and fields are called in a sentence; a name that is not here is said as it is spelt."""

from collections.abc import Iterable

from engine.text import Text, gettext_noop
from engine.text import gettext as _

_WORDS = {
    # Tournaments
    "draft": _("draft"),
    "published": _("published"),
    "registration_open": _("registration open"),
    "registration_closed": _("registration closed"),
    "live": _("live"),
    "completed": _("completed"),
    "cancelled": _("cancelled"),
    # Matches
    "scheduled": _("scheduled"),
    "ready": _("ready"),
    "pending_result": _("pending result"),
    "disputed": _("disputed"),
    "forfeit": _("forfeit"),
    # Entries
    "pending": _("pending"),
    "waitlisted": _("waitlisted"),
    "offered": _("offered"),
    "confirmed": _("confirmed"),
    "declined": _("declined"),
    "withdrawn": _("withdrawn"),
    "no_show": _("no show"),
    "expired": _("expired"),
    "disqualified": _("disqualified"),
    # Formats
    "single_elimination": _("single elimination"),
    "double_elimination": _("double elimination"),
    "round_robin": _("round robin"),
    "swiss": _("swiss"),
    # Fields
    "name": _("name"),
    "tag": _("tag"),
    "game": _("game"),
    "description": _("description"),
    "invite_code": _("invite code"),
    "text": _("text"),
    "ruling": _("ruling"),
    "team": _("team"),
    "seed": _("seed"),
    "rating": _("rating"),
    "script": _("script"),
    "name in the pool": _("name in the pool"),
    "name of a side": _("name of a side"),
    "first_name": _("first name"),
    "last_name": _("last name"),
    "capacity": _("capacity"),
    "check_in": _("check in"),
    "check_in_opens_at": _("check in opens at"),
    "check_in_closes_at": _("check in closes at"),
    "participation": _("participation"),
    "roster_min": _("roster min"),
    "roster_max": _("roster max"),
    "no_show_rule": _("no show rule"),
    "third_place_match": _("third place match"),
    "format": _("format"),
    "groups": _("groups"),
    "legs": _("legs"),
    "rounds": _("rounds"),
    "points": _("points"),
    "seating": _("seating"),
    "best_of": _("best of"),
    "best_of_rounds": _("best of rounds"),
    "grand_final_reset": _("grand final reset"),
    "ends_at_wins": _("ends at wins"),
    "ends_at_losses": _("ends at losses"),
    "veto": _("veto"),
}


def words(name: str) -> Text:
    """Return what a status, format or field is called in a sentence: "registration open"."""
    return _WORDS.get(name) or Text("{name}", {"name": name.replace("_", " ")})


def both(names: Iterable[str | Text]) -> Text | str:
    """Return names as a sentence lists what all of them are: "a and b"."""
    return _joined(names, gettext_noop("{others} and {last}"))


def either(names: Iterable[str | Text]) -> Text | str:
    """Return names as a sentence lists what one of them is: "a or b"."""
    return _joined(names, gettext_noop("{others} or {last}"))


def _joined(names: Iterable[str | Text], template: str) -> Text | str:
    first, *rest = names
    text: Text | str = first
    for name in rest:
        text = Text(template, {"others": text, "last": name})
    return text
