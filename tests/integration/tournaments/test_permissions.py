"""Role × action, literally: who may do what. An action that is missing here fails the test."""

import pytest
from django.contrib.auth.models import AnonymousUser

from apps.accounts.models import User
from apps.errors import AuthenticationRequired, Conflict, NotFound, PermissionDenied
from apps.integrations import services as integrations
from apps.tournaments import permissions
from apps.tournaments.models import EntryStatus, Match, Role, Tournament
from apps.tournaments.permissions import ACTIONS
from apps.tournaments.services import Actor, brackets, entries, matches, tournaments
from engine.bracket import Side
from engine.match_flow import Score
from tests import factories

pytestmark = pytest.mark.django_db

ROLES = ("guest", "spectator", "player", "opponent", "referee", "organizer", "admin")
STAFF = {"referee", "organizer", "admin"}
LEADERS = {"organizer", "admin"}
ANYBODY = set(ROLES) - {"guest"}
HOOK = "https://bot.example.org/hook"


class Scene:
    """A tournament at the moment at which an action makes sense, and one person of each role."""

    def __init__(self, *, entrants: int = 2, bracket: bool = False, **settings: bool) -> None:
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
    def match(self) -> Match:
        return self.cup.matches.get(number=1)

    @property
    def hook(self) -> int:
        return self.cup.endpoints.get().pk

    def by(self, role: str) -> Actor:
        return Actor(self.people[role])


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


def check_in(scene: Scene) -> Scene:
    entries.check_in(scene.by("player"), scene.own.pk)
    return scene


def hooked() -> Scene:
    scene = Scene()
    integrations.add(scene.by("organizer"), scene.cup.pk, url=HOOK)
    return scene


# action: (how the scene is set, what is tried, who may)
ATTEMPTS = {
    "create_tournament": (Scene, lambda s, by: tournaments.create(by, name="New"), ANYBODY),
    "register": (Scene, lambda s, by: entries.register(by, s.cup.pk), ANYBODY),
    "withdraw": (Scene, lambda s, by: entries.withdraw(by, s.own.pk), {"player"} | LEADERS),
    "check_in": (lambda: Scene(check_in=True), lambda s, by: entries.check_in(by, s.own.pk), {"player"} | STAFF),
    "revert_check_in": (
        lambda: check_in(Scene(check_in=True)),
        lambda s, by: entries.revert_check_in(by, s.own.pk),
        {"player"} | STAFF,
    ),
    "report_score": (bracket, lambda s, by: matches.report(by, s.match.pk, Score(1, 0)), {"player", "opponent"}),
    "confirm_result": (
        lambda: reported(bracket()),
        lambda s, by: matches.confirm(by, s.match.pk),
        {"player", "opponent"},
    ),
    "start_match": (bracket, lambda s, by: matches.start(by, s.match.pk), STAFF),
    "update_score": (
        lambda: started(bracket()),
        lambda s, by: matches.update_score(by, s.match.pk, Score(1, 0)),
        STAFF,
    ),
    "complete_match": (lambda: started(bracket()), lambda s, by: matches.finish(by, s.match.pk, Score(1, 0)), STAFF),
    "award_walkover": (bracket, lambda s, by: matches.award_walkover(by, s.match.pk, winner=Side.HOME), STAFF),
    "forfeit_match": (bracket, lambda s, by: matches.forfeit(by, s.match.pk, loser=Side.HOME), STAFF),
    "edit_tournament": (Scene, lambda s, by: tournaments.edit(by, s.cup.pk, name="Other"), LEADERS),
    "publish_tournament": (draft, lambda s, by: tournaments.publish(by, s.cup.pk), LEADERS),
    "open_registration": (lambda: closed(Scene()), lambda s, by: tournaments.open_registration(by, s.cup.pk), LEADERS),
    "close_registration": (Scene, lambda s, by: tournaments.close_registration(by, s.cup.pk), LEADERS),
    "cancel_tournament": (Scene, lambda s, by: tournaments.cancel(by, s.cup.pk), LEADERS),
    "add_entry": (Scene, lambda s, by: entries.add(by, s.cup.pk, name="Somebody"), LEADERS),
    "seed_entries": (Scene, lambda s, by: entries.seed(by, s.cup.pk), LEADERS),
    "generate_bracket": (lambda: closed(Scene()), lambda s, by: brackets.generate(by, s.cup.pk), LEADERS),
    "add_member": (
        Scene,
        lambda s, by: tournaments.add_member(by, s.cup.pk, username=s.own.user.username, role=Role.REFEREE),
        LEADERS,
    ),
    "remove_member": (Scene, lambda s, by: tournaments.remove_member(by, s.cup.pk, s.people["referee"].pk), LEADERS),
    "add_integration": (Scene, lambda s, by: integrations.add(by, s.cup.pk, url=HOOK), LEADERS),
    "edit_integration": (hooked, lambda s, by: integrations.edit(by, s.hook, name="Other"), LEADERS),
    "remove_integration": (hooked, lambda s, by: integrations.remove(by, s.hook), LEADERS),
    "test_integration": (hooked, lambda s, by: integrations.test(by, s.hook), LEADERS),
    "replay_integration": (hooked, lambda s, by: integrations.replay(by, s.hook, first=1), LEADERS),
}


def test_every_action_of_the_table_is_tried_here():
    assert set(ATTEMPTS) == set(ACTIONS)


@pytest.mark.parametrize("action", ATTEMPTS)
def test_a_role_may_do_what_the_table_says_and_nothing_else(action):
    for role in ROLES:
        build, attempt, allowed = ATTEMPTS[action]
        scene = build()
        try:
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
