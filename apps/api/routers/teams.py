"""Teams: make one, invite people, hand it over. Their commands take no key: sent twice, the second is refused."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from ninja import Query, Router

from apps.accounts.models import User
from apps.api import schemas
from apps.api.auth import ANYBODY, person
from apps.api.details import my_entry, team_detail, team_fields
from apps.api.pagination import page
from apps.api.params import TeamId, Username, Window, actor
from apps.errors import NotFound
from apps.tournaments.selectors import teams as selectors
from apps.tournaments.services import Done, teams

router = Router(tags=["teams"])
Answer = dict[str, Any]


@router.get("", auth=ANYBODY, response=schemas.TeamPage, operation_id="listTeams", summary="All teams, by name")
def list_teams(request: HttpRequest, window: Query[Window]) -> Answer:
    return page(selectors.all_teams(), window, team_fields)


@router.post(
    "",
    response={201: schemas.TeamAnswer},
    operation_id="createTeam",
    summary="Make a team",
    description="You are its captain and first member.",
)
def create(request: HttpRequest, response: HttpResponse, body: schemas.NewTeam) -> Answer:
    done = teams.create(actor(request, None), name=body.name, tag=body.tag)
    response["Location"] = f"{request.path}/{done.ids['team_id']}"
    return _answer(request, done)


@router.get(
    "/{row:team_id}",
    auth=ANYBODY,
    response=schemas.TeamDetail,
    operation_id="getTeam",
    summary="One team, with its people",
)
def get(request: HttpRequest, team_id: TeamId) -> Answer:
    return team_detail(selectors.team_for(team_id), person(request))


@router.patch(
    "/{row:team_id}",
    response=schemas.TeamAnswer,
    operation_id="editTeam",
    summary="Change the name or the tag",
    description="Where the team has registered, it keeps the name that it registered under.",
)
def edit(request: HttpRequest, team_id: TeamId, body: schemas.TeamChanges) -> Answer:
    return _answer(request, teams.edit(actor(request, None), team_id, **body.model_dump(exclude_unset=True)))


@router.delete(
    "/{row:team_id}",
    response=schemas.TeamAnswer,
    operation_id="disbandTeam",
    summary="End a team, for good",
    description="Possible while it takes part in no tournament. What it has played stays.",
)
def disband(request: HttpRequest, team_id: TeamId) -> Answer:
    return _answer(request, teams.disband(actor(request, None), team_id))


@router.get(
    "/{row:team_id}/entries",
    auth=ANYBODY,
    response=schemas.MyEntryPage,
    operation_id="listTeamEntries",
    summary="Where a team takes part or did, newest first",
)
def entries(request: HttpRequest, team_id: TeamId, window: Query[Window]) -> Answer:
    return page(selectors.entries_of(selectors.team_for(team_id)), window, my_entry)


@router.post(
    "/{row:team_id}/invitations",
    response={201: schemas.TeamAnswer},
    operation_id="inviteToTeam",
    summary="Ask somebody to join",
)
def invite(request: HttpRequest, team_id: TeamId, body: schemas.Invitation) -> Answer:
    return _answer(request, teams.invite(actor(request, None), team_id, username=body.username))


@router.post(
    "/{row:team_id}/accept",
    response=schemas.TeamAnswer,
    operation_id="acceptInvitation",
    summary="Join a team that you are invited to",
)
def accept(request: HttpRequest, team_id: TeamId) -> Answer:
    return _answer(request, teams.accept(actor(request, None), team_id))


@router.post(
    "/{row:team_id}/decline",
    response=schemas.TeamAnswer,
    operation_id="declineInvitation",
    summary="Turn an invitation down",
)
def decline(request: HttpRequest, team_id: TeamId) -> Answer:
    return _answer(request, teams.decline(actor(request, None), team_id))


@router.post(
    "/{row:team_id}/leave",
    response=schemas.TeamAnswer,
    operation_id="leaveTeam",
    summary="Leave a team",
    description="Rosters that can still change lose you. A captain hands the team over first.",
)
def leave(request: HttpRequest, team_id: TeamId) -> Answer:
    return _answer(request, teams.leave(actor(request, None), team_id))


@router.delete(
    "/{row:team_id}/members/{username}",
    response=schemas.TeamAnswer,
    operation_id="removeFromTeam",
    summary="Take a member off the team, or an invitation back",
)
def remove(request: HttpRequest, team_id: TeamId, username: Username) -> Answer:
    gone = User.objects.filter(username__iexact=username).first()
    if gone is None:
        message = "Nobody has this user name."
        raise NotFound(message)
    return _answer(request, teams.remove(actor(request, None), team_id, gone.pk))


@router.put(
    "/{row:team_id}/captain",
    response=schemas.TeamAnswer,
    operation_id="handOverTeam",
    summary="Make another member the captain",
    description="They act for the team from now on, also where it is playing.",
)
def hand_over(request: HttpRequest, team_id: TeamId, body: schemas.NewCaptain) -> Answer:
    return _answer(request, teams.hand_over(actor(request, None), team_id, body.user))


def _answer(request: HttpRequest, done: Done) -> Answer:
    return {"team": team_detail(selectors.team_for(done.ids["team_id"]), person(request))}
