"""From the text of a form to values. What the values may be is the services' business."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy

from apps.tournaments.models import DisputeCause
from apps.web.commands import cleaned
from apps.web.typed_times import MomentField

MAX_SEED_DIGITS = 6

_NUMBER = {"required": gettext_lazy("is missing."), "invalid": gettext_lazy("is not a whole number.")}


class SideForm(forms.Form):
    side = forms.ChoiceField(
        choices=[("home", "home"), ("away", "away")],
        error_messages={"required": gettext_lazy("Choose one of the two.")},
    )


class LoserForm(forms.Form):
    """Who loses by a ruling; both may."""

    side = forms.ChoiceField(
        choices=[("home", "home"), ("away", "away"), ("both", "both")],
        error_messages={"required": gettext_lazy("Choose who loses the match.")},
    )


class DisputeForm(forms.Form):
    cause = forms.ChoiceField(
        choices=DisputeCause.choices,
        required=False,
        error_messages={"invalid_choice": gettext_lazy("Choose a cause from the list.")},
    )
    text = forms.CharField(required=False, strip=False)


class SettingsForm(forms.Form):
    """What the organiser decides about a tournament."""

    name = forms.CharField(required=False, strip=False)
    game = forms.CharField(required=False, strip=False)
    description = forms.CharField(required=False, strip=False)
    accent = forms.CharField(required=False)
    capacity = forms.IntegerField(label=gettext_lazy("Places"), error_messages=_NUMBER)
    check_in = forms.BooleanField(required=False)
    match_check_in_minutes = forms.IntegerField(
        label=gettext_lazy("Check-in to each match"), required=False, error_messages=_NUMBER
    )
    confirm_minutes = forms.IntegerField(
        label=gettext_lazy("A report counts after"), required=False, error_messages=_NUMBER
    )
    starts_at = MomentField(gettext_lazy("Start"))


class MemberForm(forms.Form):
    username = forms.CharField(required=False)
    role = forms.ChoiceField(
        choices=[("referee", ""), ("organizer", "")], error_messages={"required": gettext_lazy("Choose a role.")}
    )


class DrawForm(forms.Form):
    draw_seed = forms.IntegerField(
        label=gettext_lazy("Draw seed"), required=False, min_value=0, max_value=2**53 - 1, error_messages=_NUMBER
    )


def settings_in(sent: Mapping[str, str]) -> dict[str, Any]:
    """
    Return the settings that a form sends: those left empty that have a usual value are left out, and so are those
    that the bracket has fixed, which are not sent.
    """
    form = SettingsForm(sent)
    if "capacity" not in sent:
        for name in ("capacity", "check_in"):
            del form.fields[name]
    values = cleaned(form)
    return {name: value for name, value in values.items() if name not in _USUAL or value is not None}


_USUAL = ("match_check_in_minutes", "confirm_minutes")


def seed_order(sent: Mapping[str, str], confirmed: list[int]) -> list[int]:
    """
    Return the entry ids in the order that the numbers in `seed-<id>` give, then apply `move` ("up:12", "down:12").

    `confirmed` is the present order. Of equal numbers, one that moved up goes before, one that moved down after.
    """

    def key(place: int) -> tuple[float, int]:
        text = sent.get(f"seed-{confirmed[place - 1]}", "").strip()
        typed = int(text) if text.isascii() and text.isdigit() and len(text) <= MAX_SEED_DIGITS else place
        return typed, (typed > place) - (typed < place)

    order = [confirmed[place - 1] for place in sorted(range(1, len(confirmed) + 1), key=key)]
    way, _, moved = sent.get("move", "").partition(":")
    if moved.isascii() and moved.isdigit() and int(moved) in order:
        at = order.index(int(moved))
        to = at - 1 if way == "up" else at + 1
        if 0 <= to < len(order):
            order[at], order[to] = order[to], order[at]
    return order


def lines_of(text: str) -> list[str]:
    """Return the names in a pasted list, one a line; empty lines are left out."""
    return [line.strip() for line in text.splitlines() if line.strip()]
