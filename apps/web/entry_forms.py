"""Forms about who enters: the rules of a tournament, rosters, teams."""

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext_lazy

from apps.errors import BadRequest
from apps.tournaments.models import EntryRule, NoShowRule, Participation
from apps.web.typed_times import MomentField
from engine.text import gettext as _

MAX_ID_DIGITS = 18

_NUMBER = {"required": gettext_lazy("is missing."), "invalid": gettext_lazy("is not a number.")}


class EntryRulesForm(forms.Form):
    """Who gets in, and until when; the keywords of `tournaments.edit`."""

    participation = forms.ChoiceField(choices=Participation.choices)
    roster_min = forms.IntegerField(label=gettext_lazy("Players at least"), error_messages=_NUMBER)
    roster_max = forms.IntegerField(label=gettext_lazy("Players at most"), error_messages=_NUMBER)
    entry_rule = forms.ChoiceField(choices=EntryRule.choices)
    invite_code = forms.CharField(required=False, strip=False)
    rating_min = forms.FloatField(label=gettext_lazy("Rating at least"), required=False, error_messages=_NUMBER)
    rating_max = forms.FloatField(label=gettext_lazy("Rating at most"), required=False, error_messages=_NUMBER)
    late_entry = forms.BooleanField(required=False)
    claim_minutes = forms.IntegerField(label=gettext_lazy("Minutes to claim a place"), error_messages=_NUMBER)
    check_in_opens_at = MomentField(gettext_lazy("Check-in opens"))
    check_in_closes_at = MomentField(gettext_lazy("Check-in closes"))
    no_show_rule = forms.ChoiceField(choices=NoShowRule.choices)

    def __init__(self, sent: QueryDict) -> None:
        super().__init__(sent)
        for name in ("participation", "roster_min", "roster_max"):
            if name not in sent:  # not asked for where it cannot change or says nothing
                del self.fields[name]


class TeamForm(forms.Form):
    name = forms.CharField(required=False, strip=False)
    tag = forms.CharField(required=False, strip=False)


def players_of(sent: QueryDict) -> list[int]:
    """
    Return the user ids whose boxes were ticked.

    Raises:
        BadRequest: none was, or one is no id.
    """
    ticked = sent.getlist("player")
    if not ticked or not all(text.isascii() and text.isdigit() and len(text) <= MAX_ID_DIGITS for text in ticked):
        raise BadRequest(_("Choose who plays."), field="roster")
    return [int(text) for text in ticked]


def id_of(sent: QueryDict, name: str) -> int | None:
    """Return the id in a hidden field, None when there is none."""
    text = sent.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) <= MAX_ID_DIGITS else None
