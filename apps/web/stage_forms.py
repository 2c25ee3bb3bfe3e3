"""How a stage is played, in a form: from its fields to the settings of the service, and back to values to show."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy

from apps.errors import BadRequest
from apps.tournaments.services.stages import stage_settings
from apps.web.commands import cleaned
from apps.web.present.league import part_name
from apps.web.present.names import FORMAT_LABELS
from apps.web.present.rounds import FIELD
from apps.words import said
from engine.groups import Seating
from engine.stages import MAX_BEST_OF, RULE_YEARS, Format
from engine.text import gettext as _
from engine.tiebreaks import Measure, Part

MAX_DIGITS = 3
TIE_BREAKS = 6  # that can be chosen in a form
TIE_BREAK_PARTS = (
    *map(Part, Measure),
    *(Part(measure, tied=True) for measure in (Measure.SCORE_DIFFERENCE, Measure.SCORED, Measure.WINS)),
)
SEATING_LABELS = {
    Seating.BY_RESULT: _("By their results, group mates far apart"),
    Seating.CROSSED: _("Crossed, A1 against B2"),
}

# What the form of a stage to be shows: a single elimination, and of the other formats what is usual.
NEW_STAGE: dict[str, Any] = {
    "format": Format.SINGLE_ELIMINATION.value,
    "third_place_match": True,
    "grand_final_reset": True,
}

_WHOLE = {"invalid": gettext_lazy("is not a whole number.")}
_NONE_IF_EMPTY = ("rounds", "ends_at_wins", "ends_at_losses", "advance", "advance_rest")
_POINTS = ("win", "draw", "loss", "bye")


def _whole(label: Any) -> forms.IntegerField:
    return forms.IntegerField(label=label, required=False, error_messages=_WHOLE)


class StageForm(forms.Form):
    """Everything is optional: what is not sent is not changed, and what is left empty is as usual for the format."""

    format = forms.ChoiceField(
        choices=[(value.value, label) for value, label in FORMAT_LABELS.items()],
        required=False,
        error_messages={"invalid_choice": gettext_lazy("Choose a format from the list.")},
    )
    best_of = _whole(gettext_lazy("Best of"))
    best_of_final = _whole(gettext_lazy("Best of, final"))
    third_place_match = forms.BooleanField(required=False)
    grand_final_reset = forms.BooleanField(required=False)
    groups = _whole(gettext_lazy("Groups"))
    legs = _whole(gettext_lazy("Meetings"))
    rounds = _whole(gettext_lazy("Rounds"))
    ends_at_wins = _whole(gettext_lazy("Through with wins"))
    ends_at_losses = _whole(gettext_lazy("Out with losses"))
    rule_year = _whole(gettext_lazy("Rules of"))
    advance = _whole(gettext_lazy("Go on"))
    advance_rest = _whole(gettext_lazy("And of the next"))
    seating = forms.ChoiceField(choices=[(value.value, "") for value in Seating], required=False)


class PointsForm(forms.Form):
    points_win = forms.FloatField(label=gettext_lazy("Points for a win"), required=False)
    points_draw = forms.FloatField(label=gettext_lazy("Points for a draw"), required=False)
    points_loss = forms.FloatField(label=gettext_lazy("Points for a loss"), required=False)
    points_bye = forms.FloatField(label=gettext_lazy("Points for a bye"), required=False)


def stage_values(sent: Mapping[str, str], *, before: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """
    Return the settings in a form as the services take them. `before`: the stage as it is, when it is changed.

    Raises:
        BadRequest: a number is none, or a choice is not on the list.
    """
    values = cleaned(StageForm(sent))
    shape = "format" in sent  # of a stage that is drawn, only what can still change is sent
    found: dict[str, Any] = {name: 0 for name in _NONE_IF_EMPTY if name in sent}
    numbers = ("best_of", "groups", "legs", "rule_year", *_NONE_IF_EMPTY)
    found |= {name: values[name] for name in numbers if values[name] is not None}
    if shape:
        found |= {name: values[name] for name in ("format", "seating") if values[name]}
        found |= {name: values[name] for name in ("third_place_match", "grand_final_reset")}
        finals = dict(before["best_of_rounds"]) if before else {}
        if "best_of_final" in sent:
            finals.pop("final", None)
            if values["best_of_final"]:
                finals["final"] = values["best_of_final"]
        found["best_of_rounds"] = finals
        found["points"] = _points(sent, Format(values["format"] or (before or NEW_STAGE)["format"]))
    if lengths := {name.removeprefix(FIELD): text for name, text in sent.items() if name.startswith(FIELD)}:
        others = dict(found.get("best_of_rounds", before["best_of_rounds"] if before else {}))
        found["best_of_rounds"] = _lengths(others, lengths)
    if "tie_1" in sent:
        chosen = [sent.get(f"tie_{number}", "") for number in range(1, TIE_BREAKS + 1)]
        found["tie_breaks"] = list(dict.fromkeys(filter(None, chosen)))
    return found


def _lengths(rounds: dict[str, int], typed: Mapping[str, str]) -> dict[str, int]:
    """Return the games of each round, with those that were typed; an empty field is a round like all others."""
    for key, text in typed.items():
        rounds.pop(key, None)
        if not text.strip():
            continue
        if not (text.strip().isascii() and text.strip().isdigit() and len(text) <= MAX_DIGITS):
            raise BadRequest(_("The games of a round are a whole number."), field=FIELD + key)
        rounds[key] = int(text)
    if "upper_final" in typed or "grand_final" in typed:
        rounds.pop("final", None)  # which stands for both, where they are not set one by one
    return rounds


def shown_values(stage: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the form of a stage shows: its settings, and nothing where they are as usual."""
    usual = stage_settings(Format(stage["format"]), {}).points
    points = stage["points"]
    as_usual = all(points[name] == getattr(usual, name) for name in _POINTS)
    return {
        **stage,
        "best_of_final": stage["best_of_rounds"].get("final", ""),
        "rounds": stage["rounds"] or "",
        "ends_at_wins": stage["ends_at_wins"] or "",
        "ends_at_losses": stage["ends_at_losses"] or "",
        **{f"points_{name}": "" if as_usual else f"{points[name]:g}" for name in _POINTS},
        **{f"tie_{number}": name for number, name in enumerate(stage["tie_breaks"], start=1)},
    }


def choices() -> dict[str, Any]:
    """Return what the form offers."""
    return {
        "formats": [(value.value, said(label)) for value, label in FORMAT_LABELS.items()],
        "tie_break_choices": [(str(part), part_name(part)) for part in TIE_BREAK_PARTS],
        "tie_break_places": range(1, TIE_BREAKS + 1),
        "seatings": [(value.value, said(label)) for value, label in SEATING_LABELS.items()],
        "rule_years": RULE_YEARS[::-1],
        "most_games": MAX_BEST_OF,
    }


def _points(sent: Mapping[str, str], played_as: Format) -> dict[str, float]:
    usual = stage_settings(played_as, {}).points
    typed = cleaned(PointsForm(sent))
    return {
        name: getattr(usual, name) if typed[f"points_{name}"] is None else typed[f"points_{name}"] for name in _POINTS
    }
