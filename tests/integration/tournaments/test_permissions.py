"""Role × action, literally: who may do what. An action that is missing here fails the test."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser
from django.db import transaction

from apps.accounts.models import User
from apps.errors import AuthenticationRequired, Conflict, NotFound, PermissionDenied
from apps.integrations import services as integrations
from apps.tournaments import permissions
from apps.tournaments.exchange.document import write_document
from apps.tournaments.models import (
    EntryStatus,
    Evidence,
    Match,
    Reopening,
    Report,
    Role,
    StaffLink,
    Stage,
    Station,
    Tournament,
)
from apps.tournaments.permissions import ACTIONS
from apps.tournaments.selectors.export import export
from apps.tournaments.services import (
    Actor,
    admission,
    bans,
    brackets,
    deadlines,
    disputes,
    entries,
    entry_imports,
    imports,
    matches,
    notices,
    on_stream,
    reinstating,
    reopening,
    reports,
    rosters,
    schedule,
    staff_links,
    stages,
    stations,
    tournaments,
    veto,
    waitlist,
)
from engine.bracket import Side
from engine.match_flow import Score
from engine.stages import Format
from tests import factories
from tests.pictures import png

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("media")]

ROLES = ("guest", "spectator", "player", "opponent", "referee", "organizer", "admin")
STAFF = {"referee", "organizer", "admin"}
LEADERS = {"organizer", "admin"}
ANYBODY = set(ROLES) - {"guest"}
HOOK = "https://bot.example.org/hook"


class Scene:
    """A tournament at the moment at which an action makes sense, and one person of each role."""

    def __init__(self, *, entrants: int = 2, bracket: bool = False, **settings: Any) -> None:
        build = factories.drawn if bracket else factories.open_with_entries
        self.cup: Tournament = build(entrants, **settings)
        self.own, self.other = self.cup.entries.order_by("pk")[:2]
        self.people: dict[str, User | AnonymousUser] = {
            "guest": AnonymousUser(),
            "spectator": factories.make_user(),
            "player": self.own.user,
            "opponent": self.other.user,
            "referee": factories.make_user(),
            "organizer": self.cup.created_by,
            "admin": factories.make_user(is_superuser=True),
        }
        organizer = Actor(self.cup.created_by)
        name = self.people["referee"].username
        tournaments.add_member(organizer, self.cup.pk, username=name, role=Role.REFEREE)

    @property
    def document(self) -> bytes:
        return write_document(export(self.cup.pk))

    @property
    def match(self) -> Match:
        return self.cup.matches.get(number=1)

    @property
    def station(self) -> Station:
        return self.cup.stations.get()

    @property
    def stage(self) -> Stage:
        """The last one."""
        return self.cup.stages.latest("number")

    @property
    def reopening(self) -> Reopening:
        return self.cup.reopenings.get()

    @property
    def preview(self) -> str:
        """The token with which the first match can be reopened."""
        return reopening.preview(self.by("organizer"), self.match.pk).token

    @property
    def link(self) -> StaffLink:
        return self.cup.staff_links.get()

    @property
    def token(self) -> str:
        """What opens the only invitation to the staff."""
        return self.link.token

    @property
    def hook(self) -> int:
        return self.cup.endpoints.get().pk

    @property
    def image(self) -> Evidence:
        return Evidence.objects.get(dispute__match__tournament=self.cup)

    @property
    def report(self) -> Report:
        return self.cup.reports.get()

    def by(self, role: str) -> Actor:
        return Actor(self.people[role])

    @contextmanager
    def unchanged(self) -> Iterator[None]:
        """Undo what is done within, for the next who tries."""
        with transaction.atomic():
            yield
            transaction.set_rollback(True)


def started(scene: Scene) -> Scene:
    matches.start(scene.by("organizer"), scene.match.pk)
    return scene


def reported(scene: Scene) -> Scene:
    matches.report(scene.by("player"), scene.match.pk, Score(1, 0))
    return scene


def closed(scene: Scene) -> Scene:
    tournaments.close_registration(scene.by("organizer"), scene.cup.pk)
    return scene


def draft() -> Scene:
    scene = Scene()
    scene.cup.status = "draft"
    scene.cup.save()
    return scene


def bracket() -> Scene:
    return Scene(bracket=True)


def with_pool() -> Scene:
    return Scene(bracket=True, stage={"veto": {"pool": ["Bind", "Haven"]}})


def in_veto(scene: Scene) -> Scene:
    veto.start(scene.by("organizer"), scene.match.pk)
    return scene


def check_in(scene: Scene) -> Scene:
    entries.check_in(scene.by("player"), scene.own.pk)
    return scene


def with_station(scene: Scene) -> Scene:
    stations.add(scene.by("organizer"), scene.cup.pk, name="Court 1")
    return scene


def waiting() -> Scene:
    scene = bracket()
    scene.cup.matches.update(state="check_in")
    return scene


def disputed() -> Scene:
    scene = reported(bracket())
    matches.report(scene.by("opponent"), scene.match.pk, Score(0, 1))
    return scene


def played(scene: Scene) -> Scene:
    factories.play(scene.cup, matches_at_most=scene.cup.matches.count())
    return scene


def reopened() -> Scene:
    scene = played(bracket())
    reopening.reopen(scene.by("organizer"), scene.match.pk, token=scene.preview)
    return scene


def with_playoffs() -> Scene:
    scene = Scene()
    stages.add(scene.by("organizer"), scene.cup.pk, format=Format.SINGLE_ELIMINATION)
    return scene


def hooked() -> Scene:
    scene = Scene()
    integrations.add(scene.by("organizer"), scene.cup.pk, url=HOOK)
    return scene


def without_own(scene: Scene) -> Scene:
    entries.disqualify(scene.by("organizer"), scene.own.pk)
    return scene


def announced() -> Scene:
    scene = Scene()
    notices.announce(scene.by("organizer"), scene.cup.pk, text="Lunch.")
    return scene


def invited() -> Scene:
    scene = Scene()
    staff_links.make(scene.by("organizer"), scene.cup.pk, role=Role.REFEREE)
    return scene


def with_image() -> Scene:
    """A match in dispute, with an image that somebody has reported."""
    scene = disputed()
    factories.add_image(scene.match, scene.people["player"])
    reports.report_evidence(scene.by("opponent"), scene.image.pk, reason="private")
    return scene


def banned(scene: Scene | None = None) -> Scene:
    scene = scene or Scene()
    bans.ban(scene.by("organizer"), scene.cup.pk, username=scene.own.user.username)
    return scene


# action: (how the scene is set, what is tried, who may)
ATTEMPTS = {
    "create_tournament": (Scene, lambda s, by: tournaments.create(by, name="New"), ANYBODY),
    "import_tournament": (Scene, lambda s, by: imports.import_tournament(by, s.document), ANYBODY),
    "register": (Scene, lambda s, by: entries.register(by, s.cup.pk), ANYBODY),
    "withdraw": (Scene, lambda s, by: entries.withdraw(by, s.own.pk), {"player"} | LEADERS),
    "check_in": (lambda: Scene(check_in=True), lambda s, by: entries.check_in(by, s.own.pk), {"player"} | STAFF),
    "revert_check_in": (
        lambda: check_in(Scene(check_in=True)),
        lambda s, by: entries.revert_check_in(by, s.own.pk),
        {"player"} | STAFF,
    ),
    "claim_place": (Scene, lambda s, by: waitlist.claim(by, s.own.pk), {"player"} | LEADERS),
    "update_roster": (Scene, lambda s, by: rosters.update(by, s.own.pk, players=[]), {"player"} | LEADERS),
    "disqualify_entry": (Scene, lambda s, by: entries.disqualify(by, s.own.pk), STAFF),
    "reinstate_entry": (
        lambda: without_own(bracket()),
        lambda s, by: reinstating.reinstate(by, s.own.pk),
        STAFF,
    ),
    "approve_entry": (Scene, lambda s, by: admission.approve(by, s.own.pk), LEADERS),
    "decline_entry": (Scene, lambda s, by: admission.decline(by, s.own.pk), LEADERS),
    "update_entry": (Scene, lambda s, by: entries.update(by, s.own.pk, name="Other"), LEADERS),
    "report_score": (bracket, lambda s, by: matches.report(by, s.match.pk, Score(1, 0)), {"player", "opponent"}),
    "confirm_result": (
        lambda: reported(bracket()),
        lambda s, by: matches.confirm(by, s.match.pk),
        {"player", "opponent"},
    ),
    "start_veto": (with_pool, lambda s, by: veto.start(by, s.match.pk), {"player", "opponent"} | STAFF),
    "veto_move": (
        lambda: in_veto(with_pool()),
        lambda s, by: veto.move(by, s.match.pk, "heads"),
        {"player", "opponent"} | STAFF,
    ),
    "reset_veto": (lambda: in_veto(with_pool()), lambda s, by: veto.reset(by, s.match.pk), STAFF),
    "start_match": (bracket, lambda s, by: matches.start(by, s.match.pk), STAFF),
    "update_score": (
        lambda: started(bracket()),
        lambda s, by: matches.update_score(by, s.match.pk, Score(1, 0)),
        STAFF,
    ),
    "complete_match": (lambda: started(bracket()), lambda s, by: matches.finish(by, s.match.pk, Score(1, 0)), STAFF),
    "award_walkover": (bracket, lambda s, by: matches.award_walkover(by, s.match.pk, winner=Side.HOME), STAFF),
    "forfeit_match": (bracket, lambda s, by: matches.forfeit(by, s.match.pk, loser=Side.HOME), STAFF),
    "dispute_result": (
        lambda: reported(bracket()),
        lambda s, by: matches.dispute(by, s.match.pk, text="They left."),
        {"player", "opponent"},
    ),
    "add_evidence": (
        disputed,
        lambda s, by: disputes.add_evidence(by, s.match.pk, png()),
        {"player", "opponent"} | STAFF,
    ),
    "check_in_match": (
        waiting,
        lambda s, by: matches.check_in(by, s.match.pk, side=Side.HOME),
        {"player", "opponent"} | STAFF,
    ),
    "cancel_match": (
        lambda: Scene(bracket=True, format=Format.ROUND_ROBIN),
        lambda s, by: matches.cancel(by, s.match.pk),
        STAFF,
    ),
    "take_kept_result": (reopened, lambda s, by: matches.take_kept(by, s.match.pk), STAFF),
    "reopen_match": (
        lambda: played(bracket()),
        lambda s, by: reopening.reopen(by, s.match.pk, token=s.preview),
        STAFF,
    ),
    "undo_reopening": (reopened, lambda s, by: reopening.undo(by, s.reopening.pk), STAFF),
    "add_stage": (Scene, lambda s, by: stages.add(by, s.cup.pk, format=Format.SWISS), LEADERS),
    "edit_stage": (with_playoffs, lambda s, by: stages.edit(by, s.stage.pk, name="Playoffs"), LEADERS),
    "remove_stage": (with_playoffs, lambda s, by: stages.remove(by, s.stage.pk), LEADERS),
    "pair_round": (
        lambda: played(Scene(entrants=4, bracket=True, format=Format.SWISS)),
        lambda s, by: brackets.pair(by, s.cup.pk),
        LEADERS,
    ),
    "edit_tournament": (Scene, lambda s, by: tournaments.edit(by, s.cup.pk, name="Other"), LEADERS),
    "publish_tournament": (draft, lambda s, by: tournaments.publish(by, s.cup.pk), LEADERS),
    "open_registration": (lambda: closed(Scene()), lambda s, by: tournaments.open_registration(by, s.cup.pk), LEADERS),
    "close_registration": (Scene, lambda s, by: tournaments.close_registration(by, s.cup.pk), LEADERS),
    "cancel_tournament": (Scene, lambda s, by: tournaments.cancel(by, s.cup.pk), LEADERS),
    "add_entry": (Scene, lambda s, by: entries.add(by, s.cup.pk, name="Somebody"), LEADERS),
    "import_entries": (Scene, lambda s, by: entry_imports.import_entries(by, s.cup.pk, b"name\nSomebody\n"), LEADERS),
    "seed_entries": (Scene, lambda s, by: entries.seed(by, s.cup.pk), LEADERS),
    "generate_bracket": (lambda: closed(Scene()), lambda s, by: brackets.generate(by, s.cup.pk), LEADERS),
    "announce": (Scene, lambda s, by: notices.announce(by, s.cup.pk, text="Lunch."), LEADERS),
    "take_down_announcement": (announced, lambda s, by: notices.take_down(by, s.cup.pk, 1), LEADERS),
    "make_staff_link": (Scene, lambda s, by: staff_links.make(by, s.cup.pk, role=Role.REFEREE), LEADERS),
    "revoke_staff_link": (invited, lambda s, by: staff_links.revoke(by, s.link.pk), LEADERS),
    "join_staff": (invited, lambda s, by: staff_links.join(by, s.token), ANYBODY),
    "add_member": (
        Scene,
        lambda s, by: tournaments.add_member(by, s.cup.pk, username=s.own.user.username, role=Role.REFEREE),
        LEADERS,
    ),
    "remove_member": (Scene, lambda s, by: tournaments.remove_member(by, s.cup.pk, s.people["referee"].pk), LEADERS),
    "add_station": (Scene, lambda s, by: stations.add(by, s.cup.pk, name="Court 2"), LEADERS),
    "rename_station": (
        lambda: with_station(Scene()),
        lambda s, by: stations.rename(by, s.station.pk, name="Court 2"),
        LEADERS,
    ),
    "remove_station": (lambda: with_station(Scene()), lambda s, by: stations.remove(by, s.station.pk), LEADERS),
    "plan_schedule": (lambda: with_station(bracket()), lambda s, by: schedule.plan(by, s.cup.pk), LEADERS),
    "schedule_match": (
        lambda: with_station(bracket()),
        lambda s, by: schedule.schedule(by, s.match.pk, station_id=s.station.pk),
        STAFF,
    ),
    "call_match": (bracket, lambda s, by: schedule.call(by, s.match.pk), STAFF),
    "extend_deadline": (
        lambda: reported(bracket()),
        lambda s, by: deadlines.extend(by, s.match.pk, minutes=5),
        STAFF,
    ),
    "set_on_stream": (bracket, lambda s, by: on_stream.set_on_stream(by, s.cup.pk, match_id=s.match.pk), STAFF),
    "renew_overlays": (Scene, lambda s, by: on_stream.renew_overlays(by, s.cup.pk), LEADERS),
    "add_integration": (Scene, lambda s, by: integrations.add(by, s.cup.pk, url=HOOK), LEADERS),
    "edit_integration": (hooked, lambda s, by: integrations.edit(by, s.hook, name="Other"), LEADERS),
    "remove_integration": (hooked, lambda s, by: integrations.remove(by, s.hook), LEADERS),
    "test_integration": (hooked, lambda s, by: integrations.test(by, s.hook), LEADERS),
    "replay_integration": (hooked, lambda s, by: integrations.replay(by, s.hook, first=1), LEADERS),
    "report_entry": (Scene, lambda s, by: reports.report_entry(by, s.own.pk, reason="spam"), ANYBODY),
    "report_evidence": (
        with_image,
        lambda s, by: reports.report_evidence(by, s.image.pk, reason="spam"),
        {"player", "opponent"} | STAFF,
    ),
    "hide_evidence": (with_image, lambda s, by: reports.hide_evidence(by, s.image.pk), STAFF),
    "resolve_report": (with_image, lambda s, by: reports.resolve(by, s.report.pk), STAFF),
    "ban_user": (Scene, lambda s, by: bans.ban(by, s.cup.pk, username=s.own.user.username), LEADERS),
    "unban_user": (banned, lambda s, by: bans.unban(by, s.cup.pk, s.own.user.pk), LEADERS),
}


def test_every_action_of_the_table_is_tried_here():
    assert set(ATTEMPTS) == set(ACTIONS)


@pytest.mark.parametrize("action", ATTEMPTS)
def test_a_role_may_do_what_the_table_says_and_nothing_else(action):
    build, attempt, allowed = ATTEMPTS[action]
    scene = build()
    for role in ROLES:
        try:
            with scene.unchanged():
                attempt(scene, scene.by(role))
            outcome = "allowed"
        except AuthenticationRequired:
            outcome = "sign in"
        except PermissionDenied:
            outcome = "denied"
        except NotFound:
            outcome = "hidden"
        except Conflict:
            outcome = "allowed"  # the right was there; the moment was not
        hidden = action == "publish_tournament" and role not in STAFF
        expected = "allowed" if role in allowed else "hidden" if hidden else "sign in" if role == "guest" else "denied"
        assert outcome == expected, role


def test_an_action_that_is_not_in_the_table_is_denied_to_all():
    scene = Scene()
    for role in ROLES[1:]:
        person = scene.people[role]
        assert not permissions.allows("refund_everything", person, Role.ADMIN, own=True)
        with pytest.raises(PermissionDenied, match="Nobody can do this"):
            permissions.require("refund_everything", person, Role.ADMIN)


def test_rights_are_those_of_the_moment():
    scene = bracket()
    referee = scene.by("referee")
    tournaments.remove_member(scene.by("organizer"), scene.cup.pk, referee.user.pk)
    with pytest.raises(PermissionDenied):
        matches.start(referee, scene.match.pk)


def test_staff_of_one_tournament_is_nobody_in_another():
    scene, other = bracket(), bracket()
    for role in ("referee", "organizer", "player"):
        with pytest.raises(PermissionDenied):
            matches.start(scene.by(role), other.match.pk)


@pytest.mark.parametrize("role", ROLES)
def test_who_plays_in_a_match(role, django_assert_num_queries):
    scene, other = bracket(), bracket()
    person, match = scene.people[role], scene.match
    with django_assert_num_queries(0 if role == "guest" else 1):
        side = permissions.side_in(person, match.pk)
    assert side is permissions.side_of(person, match)
    assert (side is not None) == (role in ("player", "opponent"))
    assert permissions.side_in(person, other.match.pk) is None


def test_whoever_withdrew_is_still_on_their_side():
    scene = bracket()
    scene.cup.entries.filter(pk=scene.own.pk).update(status=EntryStatus.WITHDRAWN)
    side = permissions.side_of(scene.own.user, scene.match)
    assert permissions.side_in(scene.own.user, scene.match.pk) is side is not None


def test_nobody_plays_in_a_match_whose_entrants_are_unknown():
    cup = factories.drawn(4)
    final = factories.match_number(cup, 3)
    assert not any(permissions.side_in(entry.user, final.pk) for entry in cup.entries.all())
