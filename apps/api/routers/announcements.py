"""Announcements: made and taken down by organisers; those that stand are in the tournament, as `notices`."""

from typing import Any

from django.http import HttpRequest
from ninja import Router

from apps.api import schemas
from apps.api.auth import person
from apps.api.params import IdempotencyKey, NoticeId, TournamentId, actor
from apps.errors import Conflict
from apps.tournaments.selectors import lists
from apps.tournaments.services import Done, notices
from engine.text import gettext as _

router = Router(tags=["announcements"])
Answer = dict[str, Any]


@router.post(
    "/tournaments/{row:tournament_id}/announcements",
    response={201: schemas.AnnouncementAnswer},
    operation_id="announce",
    summary="Say a sentence to everybody who looks at the tournament",
    description="It stands on top of its pages until it is taken down; webhooks and Discord tell it too.",
)
def announce(
    request: HttpRequest, tournament_id: TournamentId, body: schemas.NewAnnouncement, key: IdempotencyKey = None
) -> Answer:
    done = notices.announce(actor(request, key), tournament_id, text=body.text)
    made = next((one for one in _standing(request, done) if one["id"] == done.ids["notice_id"]), None)
    if made is None:
        message = _("The announcement has been taken down since.")
        raise Conflict(message)
    return {"seq": done.seq, "announcement": made}


@router.delete(
    "/tournaments/{row:tournament_id}/announcements/{row:notice_id}",
    response=schemas.StandingAnnouncements,
    operation_id="takeDownAnnouncement",
    summary="Take an announcement down",
    description="That it was made stays on record.",
)
def take_down(
    request: HttpRequest, tournament_id: TournamentId, notice_id: NoticeId, key: IdempotencyKey = None
) -> Answer:
    done = notices.take_down(actor(request, key), tournament_id, notice_id)
    return {"seq": done.seq, "announcements": _standing(request, done)}


def _standing(request: HttpRequest, done: Done) -> list[Any]:
    return list(lists.tournament_for(person(request), done.ids["tournament_id"])[0].notices)
