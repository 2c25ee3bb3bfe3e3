"""What the console asks of the domain besides play: announcements, invitations to the staff, lengths of rounds."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import AnonymousUser
from django.utils import timezone

from apps.errors import AuthenticationRequired, BadRequest, Conflict, NotFound
from apps.tournaments.models import Member, Role, StaffLink
from apps.tournaments.permissions import role_of
from apps.tournaments.services import (
    Actor,
    bans,
    matches,
    notices,
    schedule,
    staff_links,
    stages,
    stations,
    tournaments,
)
from engine.match_flow import MatchState, Score
from engine.stages import Format
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def cup():
    return factories.open_with_entries(2)


class TestAnnouncements:
    def test_one_stands_until_it_is_taken_down_and_its_number_is_never_used_again(self, cup):
        staff = Actor(cup.created_by)
        for text in ("Lunch at one.", "Finals on the stage."):
            notices.announce(staff, cup.pk, text=text)
        notices.take_down(staff, cup.pk, 2)
        notices.announce(staff, cup.pk, text="Finals at six.")
        standing = [(notice["id"], notice["text"]) for notice in factories.fresh(cup).notices]
        assert standing == [(1, "Lunch at one."), (3, "Finals at six.")]
        with pytest.raises(NotFound):
            notices.take_down(staff, cup.pk, 2)

    @pytest.mark.parametrize("text", ["", "   ", "x" * 281, "\u202eevil"])
    def test_what_nobody_can_read_is_refused(self, cup, text):
        with pytest.raises(BadRequest):
            notices.announce(Actor(cup.created_by), cup.pk, text=text)

    def test_of_too_many_nobody_reads_one(self, cup):
        staff = Actor(cup.created_by)
        for number in range(notices.MAX_STANDING):
            notices.announce(staff, cup.pk, text=f"Number {number}.")
        with pytest.raises(Conflict, match="Take one down first"):
            notices.announce(staff, cup.pk, text="One more.")


class TestStaffLinks:
    def link(self, cup, role=Role.REFEREE, uses=1):
        done = staff_links.make(Actor(cup.created_by), cup.pk, role=role, uses=uses)
        return StaffLink.objects.get(pk=done.ids["link_id"])

    def test_whoever_has_it_joins_as_its_role_a_draft_too(self):
        draft = factories.make_tournament()
        person = factories.make_user()
        staff_links.join(Actor(person), self.link(draft).token)
        assert role_of(person, draft.pk) == Role.REFEREE

    def test_it_holds_as_often_as_it_says_and_nobody_uses_it_twice(self, cup):
        link = self.link(cup, uses=2)
        first, second, third = (Actor(factories.make_user()) for _ in range(3))
        staff_links.join(first, link.token)
        with pytest.raises(Conflict, match="already"):
            staff_links.join(first, link.token)
        staff_links.join(second, link.token)
        with pytest.raises(Conflict, match="used up"):
            staff_links.join(third, link.token)
        assert Member.objects.filter(tournament=cup, role=Role.REFEREE).count() == 2

    def test_a_link_lifts_a_referee_to_organiser_and_never_an_organiser_down(self, cup):
        person = Actor(factories.make_user())
        staff_links.join(person, self.link(cup).token)
        staff_links.join(person, self.link(cup, Role.ORGANIZER).token)
        assert role_of(person.user, cup.pk) == Role.ORGANIZER
        with pytest.raises(Conflict):
            staff_links.join(person, self.link(cup).token)
        assert role_of(person.user, cup.pk) == Role.ORGANIZER

    def test_it_ends_by_time_and_by_revoking(self, cup):
        late, revoked = self.link(cup), self.link(cup)
        StaffLink.objects.filter(pk=late.pk).update(expires_at=timezone.now() - timedelta(seconds=1))
        staff_links.revoke(Actor(cup.created_by), revoked.pk)
        for link, why in ((late, "expired"), (revoked, "taken back")):
            with pytest.raises(Conflict, match=why):
                staff_links.join(Actor(factories.make_user()), link.token)

    def test_a_token_cannot_be_made_from_another(self, cup):
        link, other = self.link(cup), self.link(cup)
        mac = link.token.partition("-")[2]
        for token in (f"{other.pk}-{mac}", f"{link.pk}-{'0' * 32}", f"0{link.token}", "", "x"):
            with pytest.raises(NotFound):
                staff_links.join(Actor(factories.make_user()), token)

    def test_a_guest_signs_in_first(self, cup):
        with pytest.raises(AuthenticationRequired):
            staff_links.join(Actor(AnonymousUser()), self.link(cup).token)

    def test_who_joined_by_a_link_is_removed_like_anybody(self, cup):
        person = factories.make_user()
        staff_links.join(Actor(person), self.link(cup).token)
        tournaments.remove_member(Actor(cup.created_by), cup.pk, person.pk)
        assert role_of(person, cup.pk) == Role.SPECTATOR

    def test_whoever_is_removed_or_lowered_comes_back_by_no_link_that_they_know(self, cup):
        by, person = Actor(cup.created_by), factories.make_user()
        tournaments.add_member(by, cup.pk, username=person.username, role=Role.ORGANIZER)
        known = self.link(cup, Role.ORGANIZER, uses=5)
        tournaments.add_member(by, cup.pk, username=person.username, role=Role.REFEREE)
        with pytest.raises(Conflict, match="taken back"):
            staff_links.join(Actor(person), known.token)
        known = self.link(cup, uses=5)
        tournaments.remove_member(by, cup.pk, person.pk)
        with pytest.raises(Conflict, match="taken back"):
            staff_links.join(Actor(person), known.token)

    def test_whoever_is_banned_takes_no_link(self, cup):
        person = factories.make_user()
        bans.ban(Actor(cup.created_by), cup.pk, username=person.username)
        with pytest.raises(Conflict, match="banned"):
            staff_links.join(Actor(person), self.link(cup).token)


class TestLengths:
    def test_later_rounds_are_longer_counted_from_the_end(self):
        lengths = {"semi_finals": 3, "upper_final": 5, "lower_final": 5, "grand_final": 7, "lower 1": 1}
        for entrants in (5, 8, 16):
            cup = factories.drawn(entrants, format=Format.DOUBLE_ELIMINATION, stage={"best_of_rounds": lengths})
            last = {b: max(m.round for m in cup.matches.filter(bracket=b)) for b in ("main", "lower")}
            for match in cup.matches.all():
                from_end = last.get(match.bracket, 0) - match.round
                expected = {
                    "main": {0: 5, 1: 3}.get(from_end, 1),
                    "lower": 5 if from_end == 0 else 1,
                    "grand_final": 7,
                }[match.bracket]
                assert match.best_of == expected, (entrants, match.bracket, match.round)

    def test_after_the_draw_what_has_not_begun_changes_and_the_rest_stays(self):
        cup = factories.drawn(4, stage={"third_place_match": False})
        staff = Actor(cup.created_by)
        first, second, final = cup.matches.order_by("number")
        matches.start(staff, first.pk)
        stages.edit(staff, cup.stages.get().pk, best_of=3, best_of_rounds={"final": 5})
        assert [m.best_of for m in cup.matches.order_by("number")] == [1, 3, 5]
        assert final.version < cup.matches.get(pk=final.pk).version
        matches.finish(staff, first.pk, Score(1, 0))
        matches.finish(staff, second.pk, Score(2, 1))

    def test_longer_matches_must_not_run_into_each_other(self):
        cup = factories.drawn(4, stage={"third_place_match": False})
        staff = Actor(cup.created_by)
        stations.add(staff, cup.pk, name="Stage")
        schedule.plan(staff, cup.pk)
        with pytest.raises(Conflict, match="two matches at once"):
            stages.edit(staff, cup.stages.get().pk, best_of=3)
        assert {m.best_of for m in cup.matches.all()} == {1}


def test_a_match_does_not_start_where_another_is_played():
    cup = factories.drawn(4)
    staff = Actor(cup.created_by)
    station = stations.add(staff, cup.pk, name="Stage")
    first, second = cup.matches.filter(state=MatchState.READY).order_by("number")
    cup.matches.filter(pk__in=(first.pk, second.pk)).update(station=station.ids["station_id"])
    matches.start(staff, first.pk)
    with pytest.raises(Conflict, match=f"Stage is taken: match {first.number} is being played there"):
        matches.start(staff, second.pk)
    matches.finish(staff, first.pk, Score(1, 0))
    matches.start(staff, second.pk)


def test_a_result_of_a_match_that_nobody_started_is_entered_in_one_step():
    cup = factories.drawn(2)
    staff, match = Actor(cup.created_by), factories.match_number(cup, 1)
    with pytest.raises(Conflict):
        matches.finish(staff, match.pk)
    matches.finish(staff, match.pk, Score(2, 1))
    match.refresh_from_db()
    assert (match.state, match.started_at is not None) == (MatchState.COMPLETED, True)
