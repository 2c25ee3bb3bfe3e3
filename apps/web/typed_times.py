"""
Times that people type into forms: in their zone, not in ours.

The form names the zone that it was shown with, beside the field and in a field `zone` of its own: by the time it is
sent the browser may have told another. A form that names none is read as its sender's pages are.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, time
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext_lazy

from apps.errors import BadRequest
from apps.web.reader import zone_named
from engine.text import gettext as _


class _WithZone(forms.TextInput):
    """Reads the text and the name of the zone."""

    def value_from_datadict(self, data: Mapping[str, Any], files: object, name: str) -> tuple[str, str]:
        return data.get(name, ""), data.get("zone", "")


class MomentField(forms.Field):
    """A time as browsers send it, "2026-11-22T18:00", which may say its zone itself. None when it is empty."""

    widget = _WithZone

    def __init__(self, label: Any) -> None:
        super().__init__(required=False, label=label)

    def clean(self, value: tuple[str, str]) -> datetime | None:
        text, zone = value[0].strip(), value[1]
        if not text:
            return None
        try:
            return _in_utc(datetime.fromisoformat(text), zone)
        except (ValueError, OverflowError):
            raise forms.ValidationError(gettext_lazy("is not a time, for example 2026-11-22T18:00.")) from None


def end_of_day(text: str, zone: str) -> datetime | None:
    """
    Return when a day ends, "2027-01-31"; None when the text is empty.

    Raises:
        BadRequest: it is no day.
    """
    if not text:
        return None
    try:
        return _in_utc(datetime.combine(datetime.fromisoformat(text), time(23, 59, 59)), zone)
    except (ValueError, OverflowError):
        raise BadRequest(_("The last day is not a date, for example 2027-01-31."), field="expires_on") from None


def _in_utc(at: datetime, zone: str) -> datetime:
    # An hour that clocks skip is counted on; of one that they show twice it is the first.
    return (at if at.tzinfo else at.replace(tzinfo=zone_named(zone) or timezone.get_current_timezone())).astimezone(UTC)


def as_typed(value: datetime | str | None, zone: str) -> str:
    """Return a time as one would type it in a zone: "2026-11-22T18:00", "" for none."""
    at = parse_datetime(value) if isinstance(value, str) else value
    return f"{at.astimezone(zone_named(zone)):%Y-%m-%dT%H:%M}" if at else ""
