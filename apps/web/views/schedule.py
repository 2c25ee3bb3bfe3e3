"""The schedule: what everybody sees of it, and the console in which it is made."""

from collections.abc import Callable

from django import forms
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from apps.eventlog.log import STAFF
from apps.tournaments import permissions
from apps.tournaments.services import Done, deadlines, schedule, stations
from apps.web.commands import actor, carry_out, cleaned, expected_version
from apps.web.pages import Failure, page, show
from apps.web.present.schedule import ScheduleShown, SlotShown, schedule_shown
from apps.web.typed_times import MomentField
from apps.web.views.tournaments import visit
from engine.text import gettext as _

FORMS = 60  # matches that can be moved on the console's page; the others on their own

_NUMBER = {"required": gettext_lazy("is missing."), "invalid": gettext_lazy("is not a whole number.")}


class PlanForm(forms.Form):
    """Without a start, the plan begins now."""

    starts_at = MomentField(gettext_lazy("Start"))
    match_minutes = forms.IntegerField(label=gettext_lazy("Minutes"), error_messages=_NUMBER)
    rest_minutes = forms.IntegerField(label=gettext_lazy("Rest"), error_messages=_NUMBER)


class BookingForm(forms.Form):
    """Without a station or a time, the match has none."""

    station = forms.IntegerField(label=gettext_lazy("Station"), required=False, error_messages=_NUMBER)
    scheduled_at = MomentField(gettext_lazy("Time"))


class MinutesForm(forms.Form):
    minutes = forms.IntegerField(label=gettext_lazy("Minutes"), error_messages=_NUMBER)


@page
def public(request: HttpRequest, tournament_id: int, *, failure: Failure | None = None) -> HttpResponse:
    """Show what is played where, what comes next, and when everything else is planned."""
    seen = visit(request, tournament_id, tab="schedule")
    seen.context["schedule"] = schedule_shown(seen.live.state, timezone.now())
    regions = {
        "head": "web/tournament/_head.html",
        "tabs": "web/tournament/_tabs.html",
        "schedule": "web/tournament/_schedule.html",
    }
    template = "web/tournament/schedule.html"
    return show(request, template, seen.context, regions=regions, live=seen.live, failure=failure)


@page
def console(request: HttpRequest, tournament_id: int, *, failure: Failure | None = None) -> HttpResponse:
    """Show the schedule with what the staff does about it."""
    seen = visit(request, tournament_id, tab="manage-schedule", audience=STAFF)
    permissions.require("schedule_match", request.user, seen.role)
    shown = schedule_shown(seen.live.state, timezone.now())
    seen.context.update(
        {
            "schedule": shown,
            "stations": list(seen.live.state["stations"].values()),
            "to_come": _in_order(shown)[:FORMS],
            "beyond": max(len(_in_order(shown)) - FORMS, 0),
        }
    )
    regions = {
        "head": "web/tournament/_head.html",
        "tabs": "web/manage/_tabs.html",
        "lanes": "web/schedule/_lanes.html",
        "moves": "web/manage/_moves.html",
        "stations": "web/manage/_stations.html",
        "plan": "web/manage/_plan.html",
    }
    template = "web/manage/schedule.html"
    return show(request, template, seen.context, regions=regions, live=seen.live, failure=failure)


def _in_order(shown: ScheduleShown) -> list[SlotShown]:
    return [*(slot for _, slots in shown.by_time for slot in slots), *shown.unplanned]


@require_POST
def plan(request: HttpRequest, tournament_id: int) -> HttpResponse:
    def act() -> Done:
        return schedule.plan(actor(request), tournament_id, **cleaned(PlanForm(request.POST)))

    return _done(request, tournament_id, act, form="plan", said=_("The matches are planned."))


@require_POST
def add_station(request: HttpRequest, tournament_id: int) -> HttpResponse:
    def act() -> Done:
        return stations.add(actor(request), tournament_id, name=request.POST.get("name", ""))

    return _done(request, tournament_id, act, form="station", said=_("The station was added."))


@require_POST
def rename_station(request: HttpRequest, tournament_id: int, station_id: int) -> HttpResponse:
    def act() -> Done:
        return stations.rename(actor(request), station_id, name=request.POST.get("name", ""))

    return _done(request, tournament_id, act, form=f"station-{station_id}", said=_("The station was renamed."))


@require_POST
def remove_station(request: HttpRequest, tournament_id: int, station_id: int) -> HttpResponse:
    def act() -> Done:
        return stations.remove(actor(request), station_id)

    return _done(request, tournament_id, act, form=f"station-{station_id}", said=_("The station was removed."))


@require_POST
def book(request: HttpRequest, match_id: int) -> HttpResponse:
    """Give a match the station and the time that the form says; an empty field takes it away."""

    def act() -> Done:
        values = cleaned(BookingForm(request.POST))
        version = expected_version(request)
        place = {"station_id": values["station"], "scheduled_at": values["scheduled_at"]}
        return schedule.schedule(actor(request), match_id, **place, expected_version=version)

    return _match_done(request, match_id, act, form="book", said=_("The match was moved."))


@require_POST
def call(request: HttpRequest, match_id: int) -> HttpResponse:
    def act() -> Done:
        return schedule.call(actor(request), match_id, expected_version=expected_version(request))

    return _match_done(request, match_id, act, form="call", said=_("The entrants were called."))


@require_POST
def extend_deadline(request: HttpRequest, match_id: int) -> HttpResponse:
    def act() -> Done:
        minutes = cleaned(MinutesForm(request.POST))["minutes"]
        return deadlines.extend(actor(request), match_id, minutes=minutes, expected_version=expected_version(request))

    return _match_done(request, match_id, act, form="deadline", said=_("There is more time."))


def _done(request: HttpRequest, tournament_id: int, act: Callable[[], Done], *, form: str, said: str) -> HttpResponse:
    return carry_out(request, act, form=form, done=said, host=reverse("manage-schedule", args=[tournament_id]))


def _match_done(request: HttpRequest, match_id: int, act: Callable[[], Done], *, form: str, said: str) -> HttpResponse:
    return carry_out(request, act, form=f"{form}-{match_id}", done=said, host=reverse("match", args=[match_id]))
