"""From draft to champion: what each step does, and what it refuses with which sentence."""

import json
from datetime import UTC, datetime

import pytest

from apps.errors import BadRequest, Conflict, NotFound
from apps.eventlog import log
from apps.tournaments.models import Entry, EntryStatus, Match, Role, Status
from apps.tournaments.services import Actor, brackets, entries, matches, tournaments
from engine.bracket import Side
from engine.match_flow import OVER, Score
from tests import factories

pytestmark = pytest.mark.django_db


def organizer(cup):
    return Actor(cup.created_by)


def types(cup, after=0):
    return [event.type for event in log.read(cup.stream, after=after, limit=1000)]


class TestSettings:
    @pytest.mark.parametrize(
        ("settings", "sentence"),
        [
            ({"name": ""}, "The name is missing"),
            ({"name": "   "}, "The name is missing"),
            ({"name": "x" * 101}, "101 characters; at most 100"),
            ({"name": "a\x00b"}, "cannot be shown"),
            ({"name": "\u202eevil"}, "cannot be shown"),
            ({"name": "a" + "\u0301" * 6}, "piles too many accents"),
            ({"capacity": 1}, "2 to 4096 places"),
            ({"capacity": 4097}, "2 to 4096 places"),
            ({"accent": "red"}, "#rrggbb"),
            ({"starts_at": datetime(2026, 1, 1)}, "time zone"),  # noqa: DTZ001
            ({"game": "x" * 61}, "at most 60"),
            ({"colour": "x"}, "no setting colour"),
        ],
    )
    def test_a_setting_that_makes_no_sense_is_refused_with_its_sentence(self, settings, sentence):
        cup = factories.make_tournament()
        with pytest.raises(BadRequest, match=sentence):
            tournaments.edit(organizer(cup), cup.pk, **settings)
        assert types(cup) == ["tournament_created", "member_added"]

    def test_names_keep_their_letters_and_lose_their_noise(self):
        cup = factories.make_tournament(name="  Größe\t 杯  \U0001f469\u200d\U0001f680 ")
        assert cup.name == "Größe 杯 \U0001f469\u200d\U0001f680"

    def test_an_edit_says_only_what_changed(self):
        cup = factories.make_tournament(name="Old")
        starts = datetime(2026, 12, 1, 18, tzinfo=UTC)
        tournaments.edit(organizer(cup), cup.pk, name="New", starts_at=starts)
        event = log.read(cup.stream, after=2, limit=1)[0]
        assert json.loads(bytes(event.data)) == {
            "tournament": {"id": cup.pk, "name": "New", "starts_at": "2026-12-01T18:00:00.000Z"},
            "stage": {"id": cup.stages.get().pk},
        }

    def test_what_shaped_the_bracket_stays_once_there_is_one(self):
        cup = factories.drawn(4)
        for settings in ({"capacity": 8}, {"check_in": True}, {"third_place_match": False}):
            with pytest.raises(Conflict, match="has been drawn"):
                tournaments.edit(organizer(cup), cup.pk, **settings)
        tournaments.edit(organizer(cup), cup.pk, name="Another name", capacity=16)


class TestStatus:
    @pytest.mark.parametrize(
        ("status", "step", "sentence"),
        [
            (Status.DRAFT, "open_registration", "is draft, so it is not possible to open registration"),
            (Status.PUBLISHED, "publish", "Possible now: open registration, cancel"),
            (Status.PUBLISHED, "close_registration", "Possible now: open registration, cancel"),
            (Status.REGISTRATION_OPEN, "open_registration", "Possible now: close registration, cancel"),
            (Status.COMPLETED, "cancel", "Possible now: nothing more"),
            (Status.CANCELLED, "publish", "Possible now: nothing more"),
        ],
    )
    def test_an_illegal_step_is_refused_with_what_is_possible_now(self, status, step, sentence):
        cup = factories.make_tournament()
        cup.status = status
        cup.save()
        with pytest.raises(Conflict, match=sentence) as refusal:
            getattr(tournaments, step)(organizer(cup), cup.pk)
        assert refusal.value.data["status"] == status

    def test_registration_opens_and_closes_again_until_the_bracket_is_drawn(self):
        cup = factories.open_with_entries(2)
        tournaments.close_registration(organizer(cup), cup.pk)
        tournaments.open_registration(organizer(cup), cup.pk)
        tournaments.close_registration(organizer(cup), cup.pk)
        brackets.generate(organizer(cup), cup.pk)
        with pytest.raises(Conflict, match="bracket has been drawn"):
            tournaments.open_registration(organizer(cup), cup.pk)

    def test_a_cancelled_tournament_stays_as_it_is(self):
        cup = factories.drawn(2)
        match = factories.match_number(cup, 1)
        tournaments.cancel(organizer(cup), cup.pk)
        for call in (
            lambda: matches.start(organizer(cup), match.pk),
            lambda: entries.withdraw(organizer(cup), match.home_id),
            lambda: brackets.generate(organizer(cup), cup.pk),
            lambda: entries.add(organizer(cup), cup.pk, name="Late"),
        ):
            with pytest.raises(Conflict):
                call()


class TestEntries:
    def test_places_then_waitlist_then_promotion_in_strict_order(self):
        cup = factories.open_with_entries(5, capacity=3)
        rows = list(cup.entries.order_by("pk"))
        assert [row.status for row in rows] == ["confirmed"] * 3 + ["waitlisted"] * 2
        entries.withdraw(Actor(rows[1].user), rows[1].pk)
        back = factories.enter(cup, rows[1].user)
        assert back.pk != rows[1].pk
        assert [row.status for row in cup.entries.order_by("pk")] == [
            "confirmed",
            "withdrawn",
            "confirmed",
            "confirmed",
            "waitlisted",
            "waitlisted",
        ]
        tournaments.edit(organizer(cup), cup.pk, capacity=4)
        assert cup.entries.get(pk=rows[4].pk).status == "confirmed"
        assert cup.entries.get(pk=back.pk).status == "waitlisted"
        assert types(cup)[-2:] == ["tournament_updated", "registration_promoted"]

    def test_the_capacity_cannot_go_below_those_who_have_a_place(self):
        cup = factories.open_with_entries(4, capacity=8)
        with pytest.raises(Conflict, match="4 entrants are confirmed"):
            tournaments.edit(organizer(cup), cup.pk, capacity=3)

    def test_nobody_registers_twice_or_under_a_name_that_is_taken(self):
        cup = factories.open_with_entries(0)
        ada, bob = factories.make_user("ada"), factories.make_user("bob")
        factories.enter(cup, ada, "Team One")
        with pytest.raises(Conflict, match="registered already, as Team One"):
            entries.register(Actor(ada), cup.pk)
        with pytest.raises(Conflict, match="Choose another name"):
            entries.register(Actor(bob), cup.pk, name="team one")
        assert factories.enter(cup, bob).name == "bob"

    def test_registration_is_possible_only_while_it_is_open(self):
        cup = factories.publish(factories.make_tournament())
        with pytest.raises(Conflict, match="Registration is not open; the tournament is published"):
            entries.register(Actor(factories.make_user()), cup.pk)

    def test_who_has_withdrawn_cannot_withdraw_again(self):
        cup = factories.open_with_entries(2)
        entry = cup.entries.first()
        entries.withdraw(Actor(entry.user), entry.pk)
        with pytest.raises(Conflict, match="not taking part"):
            entries.withdraw(Actor(entry.user), entry.pk)

    def test_only_those_who_checked_in_are_drawn(self):
        cup = factories.open_with_entries(5, check_in=True)
        for entry in cup.entries.order_by("pk")[:3]:
            entries.check_in(Actor(entry.user), entry.pk)
        tournaments.close_registration(organizer(cup), cup.pk)
        brackets.generate(organizer(cup), cup.pk)
        assert cup.matches.count() == 2
        assert cup.entries.filter(status=EntryStatus.NO_SHOW).count() == 2

    def test_check_in_needs_a_tournament_that_checks_in_and_a_place(self):
        cup = factories.open_with_entries(1)
        with pytest.raises(Conflict, match="no check-in"):
            entries.check_in(organizer(cup), cup.entries.get().pk)
        cup = factories.open_with_entries(3, capacity=2, check_in=True)
        gone = cup.entries.get(status="waitlisted")
        entries.withdraw(organizer(cup), gone.pk)
        with pytest.raises(Conflict, match="is withdrawn"):
            entries.check_in(organizer(cup), gone.pk)
        first = cup.entries.filter(status="confirmed").first()
        entries.check_in(organizer(cup), first.pk)
        with pytest.raises(Conflict, match="checked in already"):
            entries.check_in(organizer(cup), first.pk)
        entries.revert_check_in(organizer(cup), first.pk)
        with pytest.raises(Conflict, match="not checked in"):
            entries.revert_check_in(organizer(cup), first.pk)

    def test_what_does_not_exist_is_said_so(self):
        cup = factories.make_tournament()
        for call, what in (
            (lambda: entries.withdraw(organizer(cup), 10**9), "entry"),
            (lambda: matches.start(organizer(cup), 10**9), "match"),
            (lambda: tournaments.publish(organizer(cup), 10**9), "tournament"),
        ):
            with pytest.raises(NotFound, match=f"no such {what}"):
                call()


class TestSeeding:
    def test_a_draw_is_recorded_and_gives_the_same_seeds_again(self):
        cups = [factories.open_with_entries(8) for _ in range(2)]
        entries.seed(organizer(cups[0]), cups[0].pk)
        drawn_with = factories.fresh(cups[0]).draw_seed
        assert drawn_with is not None
        entries.seed(organizer(cups[1]), cups[1].pk, draw_seed=drawn_with)
        orders = [list(cup.entries.order_by("pk").values_list("seed", flat=True)) for cup in cups]
        assert orders[0] == orders[1]
        assert sorted(orders[0]) == list(range(1, 9))

    def test_an_order_by_hand_names_everyone_once(self):
        cup = factories.open_with_entries(3)
        ids = [entry.pk for entry in cup.entries.order_by("-pk")]
        for wrong in (ids[:2], [*ids, ids[0]], [ids[0]] * 3, [*ids, 10**9]):
            with pytest.raises(BadRequest, match="exactly once"):
                entries.seed(organizer(cup), cup.pk, order=wrong)
        entries.seed(organizer(cup), cup.pk, order=ids)
        assert [entry.pk for entry in cup.entries.order_by("seed")] == ids

    def test_those_without_a_seed_follow_in_order_of_registration(self):
        cup = factories.open_with_entries(2)
        first, second = cup.entries.order_by("pk")
        entries.seed(organizer(cup), cup.pk, order=[second.pk, first.pk])
        late = factories.enter(cup, factories.make_user())
        tournaments.close_registration(organizer(cup), cup.pk)
        brackets.generate(organizer(cup), cup.pk)
        assert [entry.pk for entry in cup.entries.order_by("seed")] == [second.pk, first.pk, late.pk]


class TestBracket:
    @pytest.mark.parametrize("entrants", [0, 1])
    def test_a_bracket_needs_two(self, entrants):
        cup = factories.open_with_entries(entrants)
        tournaments.close_registration(organizer(cup), cup.pk)
        with pytest.raises(BadRequest, match=f"at least 2 entrants; there are {entrants}"):
            brackets.generate(organizer(cup), cup.pk)

    @pytest.mark.parametrize(("status", "way"), [("draft", "Publish"), ("registration_open", "Close registration")])
    def test_it_is_said_what_comes_first(self, status, way):
        cup = factories.open_with_entries(2)
        cup.status = status
        cup.save()
        with pytest.raises(Conflict, match=way):
            brackets.generate(organizer(cup), cup.pk)

    def test_a_second_bracket_replaces_the_first_until_play_begins(self):
        cup = factories.drawn(4)
        before = set(cup.matches.values_list("pk", flat=True))
        entries_before = cup.entries.count()
        withdrawn = cup.entries.order_by("seed").last()
        entries.withdraw(organizer(cup), withdrawn.pk)
        assert Match.objects.filter(tournament=cup, state="forfeit").count() == 1, "the opponent walked over"
        with pytest.raises(Conflict, match="too late"):
            brackets.generate(organizer(cup), cup.pk)
        fresh = factories.drawn(4)
        before = set(fresh.matches.values_list("pk", flat=True))
        brackets.generate(organizer(fresh), fresh.pk)
        after = set(fresh.matches.values_list("pk", flat=True))
        assert len(after) == len(before) == 4
        assert not before & after
        assert entries_before == 4

    @pytest.mark.parametrize("entrants", [2, 3, 5, 16, 17, 64, 127, 128])
    def test_a_bracket_of_any_size_is_played_to_its_champion(self, entrants):
        cup = factories.publish(factories.make_tournament(capacity=128))
        for number in range(entrants):
            entries.add(organizer(cup), cup.pk, name=f"Entrant {number + 1}")
        brackets.generate(organizer(cup), cup.pk)
        played = 0
        while (match := cup.matches.filter(state="ready").order_by("number").first()) is not None:
            matches.start(organizer(cup), match.pk)
            better = Score(1, 0) if match.home.seed < match.away.seed else Score(0, 1)
            matches.finish(organizer(cup), match.pk, better)
            played += 1
        cup = factories.fresh(cup)
        assert played == entrants - 1 + (entrants >= 4)
        assert cup.status == Status.COMPLETED
        assert (cup.champion.seed, cup.runner_up.seed) == (1, 2)
        assert (cup.third_place and cup.third_place.seed) == (3 if entrants >= 3 else None)


class TestMatches:
    def test_report_and_confirm_by_the_other_side_completes_and_moves_the_winner_on(self):
        cup = factories.drawn(4)
        match = factories.match_number(cup, 1)
        home, away = Actor(match.home.user), Actor(match.away.user)
        matches.report(home, match.pk, Score(2, 1))
        matches.report(home, match.pk, Score(3, 1))  # a slip of the finger, corrected
        with pytest.raises(Conflict, match="You reported this result yourself"):
            matches.confirm(home, match.pk)
        matches.confirm(away, match.pk)
        match.refresh_from_db()
        assert (match.state, match.reason, match.winner_id) == ("completed", "played", match.home_id)
        assert (match.home_score, match.away_score) == (3, 1)
        final, third = factories.match_number(cup, 4), factories.match_number(cup, 3)
        assert final.home_id == match.home_id
        assert third.home_id == match.away_id
        with pytest.raises(Conflict, match="completed"):
            matches.confirm(away, match.pk)

    def test_the_same_report_by_both_sides_completes_the_match(self):
        match = factories.match_number(factories.drawn(2), 1)
        matches.report(Actor(match.home.user), match.pk, Score(2, 1))
        matches.report(Actor(match.away.user), match.pk, Score(2, 1))
        match.refresh_from_db()
        assert (match.state, match.winner_id) == ("completed", match.home_id)

    def test_two_different_reports_open_a_dispute_that_a_ruling_resolves(self):
        cup = factories.drawn(4)
        match = factories.match_number(cup, 1)
        matches.report(Actor(match.home.user), match.pk, Score(2, 1))
        matches.report(Actor(match.away.user), match.pk, Score(0, 2))
        match.refresh_from_db()
        assert (match.state, match.reported_by) == ("disputed", "home")
        assert (match.report["home_score"], match.counter_report["home_score"]) == (2, 0)
        assert match.deadline_at is None, "a dispute is not decided by the clock"
        for side in (match.home, match.away):
            with pytest.raises(Conflict, match="disputed"):
                matches.confirm(Actor(side.user), match.pk)
        matches.finish(organizer(cup), match.pk, Score(0, 2), ruling="The screenshot shows it.")
        match.refresh_from_db()
        assert (match.state, match.winner_id) == ("completed", match.away_id)
        assert factories.match_number(cup, 4).home_id == match.away_id
        dispute = match.disputes.get()
        assert (dispute.ruling, dispute.resolved_by) == ("The screenshot shows it.", cup.created_by)

    def test_a_result_needs_a_winner(self):
        cup = factories.drawn(2)
        match = factories.match_number(cup, 1)
        with pytest.raises(BadRequest, match="needs a winner"):
            matches.report(Actor(match.home.user), match.pk, Score(1, 1))
        matches.start(organizer(cup), match.pk)
        with pytest.raises(BadRequest, match="needs a winner"):
            matches.finish(organizer(cup), match.pk)
        matches.finish(organizer(cup), match.pk, Score(1, 1, 2, 3))
        match.refresh_from_db()
        assert match.winner_id == match.away_id

    def test_a_referee_ends_a_match_with_the_reported_score_unless_another_is_given(self):
        cup = factories.drawn(4)
        first, second = factories.match_number(cup, 1), factories.match_number(cup, 2)
        for match in (first, second):
            matches.report(Actor(match.away.user), match.pk, Score(0, 4))
        matches.finish(organizer(cup), first.pk)
        matches.finish(organizer(cup), second.pk, Score(5, 4))
        assert Match.objects.get(pk=first.pk).away_score == 4
        assert Match.objects.get(pk=second.pk).winner_id == second.home_id

    def test_a_stale_command_is_refused_with_how_things_stand(self):
        cup = factories.drawn(2)
        match = factories.match_number(cup, 1)
        matches.start(organizer(cup), match.pk, expected_version=match.version)
        with pytest.raises(Conflict, match="has changed since") as refusal:
            matches.update_score(organizer(cup), match.pk, Score(1, 0), expected_version=match.version)
        assert refusal.value.data["match"]["state"] == "live"

    def test_a_score_may_go_down(self):
        cup = factories.drawn(2)
        match = factories.match_number(cup, 1)
        matches.start(organizer(cup), match.pk)
        matches.update_score(organizer(cup), match.pk, Score(2, 0))
        matches.update_score(organizer(cup), match.pk, Score(1, 0))
        assert Match.objects.get(pk=match.pk).home_score == 1

    def test_walkover_and_forfeit_name_a_winner(self):
        cup = factories.drawn(4)
        first, second = factories.match_number(cup, 1), factories.match_number(cup, 2)
        matches.award_walkover(organizer(cup), first.pk, winner=Side.AWAY)
        matches.start(organizer(cup), second.pk)
        matches.forfeit(organizer(cup), second.pk, loser=Side.AWAY)
        first.refresh_from_db()
        second.refresh_from_db()
        assert (first.winner_id, first.reason) == (first.away_id, "walkover")
        assert (second.winner_id, second.reason) == (second.home_id, "forfeit")
        with pytest.raises(Conflict, match="still to come"):
            matches.award_walkover(organizer(factories.drawn(8)), Match.objects.latest("pk").pk, winner=Side.HOME)

    def test_who_withdraws_in_play_gives_the_match_away_and_the_places_to_come(self):
        cup = factories.drawn(4)
        semi = factories.match_number(cup, 1)
        matches.start(organizer(cup), semi.pk)
        entries.withdraw(Actor(semi.away.user), semi.away_id)
        semi.refresh_from_db()
        assert (semi.winner_id, semi.reason) == (semi.home_id, "forfeit")
        other = factories.match_number(cup, 2)
        matches.start(organizer(cup), other.pk)
        matches.finish(organizer(cup), other.pk, Score(1, 0))
        third = factories.match_number(cup, 3)
        assert (third.state, third.reason, third.winner_id) == ("forfeit", "walkover", other.away_id)
        assert factories.match_number(cup, 4).state == "ready"

    def test_when_all_withdraw_there_is_an_end_without_a_champion(self):
        cup = factories.drawn(4)
        for entry in cup.entries.all():
            if Entry.objects.get(pk=entry.pk).is_active:
                try:
                    entries.withdraw(Actor(entry.user), entry.pk)
                except Conflict:
                    assert factories.fresh(cup).status == Status.COMPLETED
        assert factories.fresh(cup).status == Status.COMPLETED
        assert not cup.matches.exclude(state__in=OVER).exists()


class TestStaff:
    def test_the_last_organiser_stays(self):
        cup = factories.make_tournament()
        with pytest.raises(Conflict, match="needs an organiser"):
            tournaments.remove_member(organizer(cup), cup.pk, cup.created_by.pk)
        with pytest.raises(Conflict, match="needs an organiser"):
            tournaments.add_member(organizer(cup), cup.pk, username=cup.created_by.username, role=Role.REFEREE)

    def test_staff_is_added_by_name_changed_and_removed(self):
        cup = factories.make_tournament()
        person = factories.make_user("Judge")
        tournaments.add_member(organizer(cup), cup.pk, username=" judge ", role=Role.REFEREE)
        tournaments.add_member(organizer(cup), cup.pk, username="judge", role=Role.ORGANIZER)
        assert cup.members.get(user=person).role == Role.ORGANIZER
        tournaments.remove_member(Actor(person), cup.pk, cup.created_by.pk)
        assert cup.members.get().user == person

    @pytest.mark.parametrize("role", [Role.SPECTATOR, Role.PLAYER, Role.ADMIN])
    def test_the_staff_has_two_roles(self, role):
        cup = factories.make_tournament()
        with pytest.raises(BadRequest, match="referee or an organiser"):
            tournaments.add_member(organizer(cup), cup.pk, username="x", role=role)

    def test_a_name_that_nobody_has_is_said_so(self):
        cup = factories.make_tournament()
        with pytest.raises(NotFound, match="Nobody has this user name"):
            tournaments.add_member(organizer(cup), cup.pk, username="nobody", role=Role.REFEREE)


class TestRetries:
    def test_a_command_sent_again_has_one_effect_and_the_first_answer(self):
        cup = factories.drawn(2)
        match = factories.match_number(cup, 1)
        actor = Actor(cup.created_by, command_id="abc")
        first = matches.start(actor, match.pk)
        assert matches.start(actor, match.pk) == first
        assert types(cup).count("match_started") == 1

    def test_an_id_that_was_used_for_something_else_is_refused(self):
        cup = factories.drawn(2)
        match = factories.match_number(cup, 1)
        actor = Actor(cup.created_by, command_id="abc")
        matches.start(actor, match.pk)
        with pytest.raises(Conflict, match="already used for another command"):
            matches.finish(actor, match.pk, Score(1, 0))

    def test_a_refused_command_may_be_tried_again_under_its_id(self):
        cup = factories.drawn(2)
        match = factories.match_number(cup, 1)
        actor = Actor(cup.created_by, command_id="abc")
        with pytest.raises(Conflict):
            matches.update_score(actor, match.pk, Score(1, 0))
        matches.start(organizer(cup), match.pk)
        matches.update_score(actor, match.pk, Score(1, 0))
        assert Match.objects.get(pk=match.pk).home_score == 1

    def test_two_people_may_use_the_same_id(self):
        cup = factories.open_with_entries(0)
        for _ in range(2):
            entries.register(Actor(factories.make_user(), command_id="1"), cup.pk)
        assert cup.entries.count() == 2
