"""Who gets in, who waits, whose turn it is: what each rule lets through, and what it refuses with which sentence."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.errors import BadRequest, Conflict
from apps.eventlog import log
from apps.eventlog.log import PUBLIC, STAFF
from apps.tournaments.models import Entry, EntryStatus, Rating, StageEntry
from apps.tournaments.selectors.snapshots import tournament_snapshot
from apps.tournaments.services import Actor, admission, brackets, entries, stages, tournaments, waitlist
from apps.tournaments.services.deadlines import sweep
from apps.tournaments.services.unit import Unit, present
from engine.projection import fold
from engine.stages import Format
from tests import factories

pytestmark = pytest.mark.django_db


class Clock:
    """The present as the services see it."""

    def __init__(self):
        self.at = datetime(2026, 11, 22, 18, tzinfo=UTC)

    def now(self):
        return self.at

    def forward(self, **by):
        self.at += timedelta(**by)


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr("apps.tournaments.services.unit.timezone", clock)
    return clock


def organizer(cup):
    return Actor(cup.created_by)


def by(entry):
    return Actor(entry.user)


def statuses(cup):
    return [str(entry.status) for entry in cup.entries.order_by("pk")]


def full(places=2, waiting=0, **settings):
    """Return a tournament whose places are taken, and its entries in the order in which they came."""
    cup = factories.open_with_entries(places + waiting, capacity=places, **settings)
    return cup, list(cup.entries.select_related("user").order_by("pk"))


def the_log_is_the_state(cup):
    for audience in (PUBLIC, STAFF):
        events = log.read(cup.stream, after=0, limit=10_000, audiences={PUBLIC, audience})
        assert (
            fold(json.loads(bytes(event.data)) for event in events)
            == tournament_snapshot(cup.pk, audience=audience).data
        )


def head(cup):
    return log.positions([cup.stream])[cup.stream].seq


class TestInvitations:
    def test_the_code_opens_the_tournament_in_any_case(self):
        cup = factories.open_registration(factories.make_tournament(entry_rule="invite", invite_code="Spring-26"))
        for wrong in ("", "Spring", "Spring-26x", "Spring-26\x00", "Spring–26"):
            with pytest.raises(BadRequest, match="Type the invite code that you got from the organiser") as refusal:
                entries.register(Actor(factories.make_user()), cup.pk, code=wrong)
            assert refusal.value.data == {"field": "code"}
        entries.register(Actor(factories.make_user()), cup.pk, code=" spring-26 ")
        assert statuses(cup) == ["confirmed"]

    def test_a_tournament_without_a_code_of_its_own_gets_one(self):
        cups = [factories.make_tournament(entry_rule="invite") for _ in range(2)]
        assert len({cup.invite_code for cup in cups}) == 2
        assert all(len(cup.invite_code) == 10 for cup in cups)
        tournaments.edit(organizer(cups[0]), cups[0].pk, invite_code="")
        assert factories.fresh(cups[0]).invite_code not in ("", cups[0].invite_code)

    def test_an_empty_code_opens_nothing(self):
        cup = factories.open_registration(factories.make_tournament(entry_rule="invite"))
        cup.invite_code = ""
        cup.save()
        with pytest.raises(BadRequest, match="Only who was invited"):
            entries.register(Actor(factories.make_user()), cup.pk, code="")

    def test_nobody_can_read_the_code_in_the_tournaments_state_or_log(self):
        cup = factories.open_registration(factories.make_tournament(entry_rule="invite", invite_code="Hush-hush"))
        tournaments.edit(organizer(cup), cup.pk, invite_code="Tush-tush")
        state = tournament_snapshot(cup.pk, audience=STAFF).data
        events = log.read(cup.stream, after=0, limit=100)
        assert "ush" not in json.dumps(state) + "".join(bytes(event.data).decode() for event in events)

    def test_an_organiser_needs_no_code_to_enter_somebody(self):
        cup = factories.make_tournament(entry_rule="invite")
        entries.add(organizer(cup), cup.pk, name="Ada")
        assert statuses(cup) == ["confirmed"]


class TestApproval:
    @pytest.fixture
    def cup(self):
        return factories.open_with_entries(3, entry_rule="approval", capacity=2)

    def test_an_organiser_decides_who_gets_a_place(self, cup):
        first, second, third = cup.entries.order_by("pk")
        assert statuses(cup) == ["pending"] * 3
        admission.approve(organizer(cup), third.pk)
        admission.decline(organizer(cup), first.pk)
        admission.approve(organizer(cup), second.pk)
        assert statuses(cup) == ["declined", "confirmed", "confirmed"]
        the_log_is_the_state(cup)

    def test_when_the_places_are_taken_approval_leads_to_the_waitlist(self, cup):
        for entry in cup.entries.order_by("-pk"):
            admission.approve(organizer(cup), entry.pk)
        assert statuses(cup) == ["waitlisted", "confirmed", "confirmed"]

    def test_who_was_declined_cannot_ask_again_but_can_be_let_in_after_all(self, cup):
        entry = cup.entries.select_related("user").first()
        admission.decline(organizer(cup), entry.pk)
        with pytest.raises(Conflict, match="An organiser has declined your registration"):
            entries.register(by(entry), cup.pk)
        admission.approve(organizer(cup), entry.pk)
        assert Entry.objects.get(pk=entry.pk).status == "confirmed"

    def test_nobody_is_approved_or_declined_twice(self, cup):
        entry = cup.entries.first()
        admission.approve(organizer(cup), entry.pk)
        with pytest.raises(Conflict, match="is confirmed; there is nothing to approve"):
            admission.approve(organizer(cup), entry.pk)
        with pytest.raises(Conflict, match="is confirmed; only who waits for approval can be declined"):
            admission.decline(organizer(cup), entry.pk)

    def test_who_waits_for_approval_is_registered_and_not_drawn(self, cup):
        first, second, third = cup.entries.select_related("user").order_by("pk")
        with pytest.raises(Conflict, match="registered already"):
            entries.register(by(first), cup.pk)
        for entry in (second, third):
            admission.approve(organizer(cup), entry.pk)
        factories.draw(cup)
        assert {row.entry_id for row in StageEntry.objects.all()} == {second.pk, third.pk}
        with pytest.raises(Conflict, match="has been drawn; its entrants cannot change"):
            admission.approve(organizer(cup), first.pk)

    def test_a_name_that_was_taken_meanwhile_stays_taken(self, cup):
        entry = cup.entries.first()
        admission.decline(organizer(cup), entry.pk)
        entries.add(organizer(cup), cup.pk, name=entry.name.upper())
        with pytest.raises(Conflict, match="Choose another name"):
            admission.approve(organizer(cup), entry.pk)

    def test_who_has_come_back_by_themselves_is_not_let_in_a_second_time(self):
        cup, rows = full(2, waiting=2, claim_minutes=5)
        Entry.objects.filter(pk=rows[2].pk).update(status=EntryStatus.EXPIRED)
        factories.enter(cup, rows[2].user, "Again")
        with pytest.raises(Conflict, match="a player takes part as Again by now"):
            admission.approve(organizer(cup), rows[2].pk)


class TestRatings:
    @pytest.mark.parametrize(
        ("limits", "rating", "sentence"),
        [
            ({"rating_min": 20}, 20.0, ""),
            ({"rating_min": 20}, 19.9, "asks for a rating in Chess of at least 20; yours is 19.9."),
            ({"rating_min": 20}, None, "asks for a rating in Chess of at least 20; you have none yet."),
            ({"rating_max": 30.5}, 30.5, ""),
            ({"rating_max": 30.5}, 31.0, "asks for a rating in Chess of at most 30.5; yours is 31.0."),
            ({"rating_max": 30}, None, ""),
            ({"rating_min": 20, "rating_max": 30}, 25.0, ""),
            ({"rating_min": 20, "rating_max": 30}, 31.0, "of at least 20 and at most 30; yours is 31.0."),
            ({}, None, ""),
        ],
    )
    def test_a_rating_in_the_tournaments_game_within_its_limits(self, limits, rating, sentence):
        cup = factories.open_registration(factories.make_tournament(game="Chess", **limits))
        ada = factories.make_user()
        if rating is not None:
            Rating.objects.create(game="Chess", user=ada, mu=rating, sigma=2, matches=9)
        Rating.objects.create(game="Go", user=ada, mu=25, sigma=2, matches=9)
        if not sentence:
            assert factories.enter(cup, ada).status == "confirmed"
            return
        with pytest.raises(Conflict) as refusal:
            entries.register(Actor(ada), cup.pk)
        assert refusal.value.message.endswith(sentence)
        entries.add(organizer(cup), cup.pk, name="Ada")  # an organiser may

    def test_a_limit_needs_a_game(self):
        with pytest.raises(BadRequest, match="Ratings are of one game"):
            factories.make_tournament(rating_min=20)


class TestWaitlist:
    def test_a_free_place_is_held_for_the_first_and_is_not_free(self, clock):
        cup, rows = full(3, waiting=2, claim_minutes=30)
        entries.withdraw(by(rows[0]), rows[0].pk)
        assert statuses(cup) == ["withdrawn", "confirmed", "confirmed", "offered", "waitlisted"]
        assert Entry.objects.get(pk=rows[3].pk).claim_by == clock.at + timedelta(minutes=30)
        assert factories.enter(cup, factories.make_user()).status == "waitlisted"
        with pytest.raises(Conflict, match="3 entrants are confirmed or have a place held"):
            tournaments.edit(organizer(cup), cup.pk, capacity=2)
        the_log_is_the_state(cup)

    def test_who_claims_in_time_has_the_place(self, clock):
        cup, rows = full(2, waiting=1, claim_minutes=30)
        entries.withdraw(by(rows[0]), rows[0].pk)
        clock.forward(minutes=29)
        waitlist.claim(by(rows[2]), rows[2].pk)
        assert statuses(cup) == ["withdrawn", "confirmed", "confirmed"]
        with pytest.raises(Conflict, match="No place is held for"):
            waitlist.claim(by(rows[2]), rows[2].pk)
        clock.forward(minutes=2)
        assert sweep(present()) == 0

    def test_who_does_not_is_out_and_the_next_has_the_same_time(self, clock):
        cup, rows = full(2, waiting=3, claim_minutes=30)
        entries.withdraw(by(rows[0]), rows[0].pk)
        clock.forward(minutes=30)
        with pytest.raises(Conflict, match=r"held for .* until 22 Nov 2026, 18:30 UTC, and goes to the next"):
            waitlist.claim(by(rows[2]), rows[2].pk)
        clock.forward(minutes=60)  # the sweep was late
        assert sweep(present()) == 1
        assert statuses(cup) == ["withdrawn", "confirmed", "expired", "offered", "waitlisted"]
        assert Entry.objects.get(pk=rows[3].pk).claim_by == clock.at + timedelta(minutes=30)
        the_log_is_the_state(cup)

    def test_the_sweep_can_come_again_and_says_nothing_when_there_is_nothing(self, clock):
        cup, rows = full(2, waiting=1, claim_minutes=30)
        assert sweep(present()) == 0
        entries.withdraw(by(rows[0]), rows[0].pk)
        clock.forward(minutes=30)
        assert sweep(present()) == 1
        before = head(cup)
        assert sweep(present()) == 0
        assert head(cup) == before

    def test_a_cancelled_tournament_stays_as_it_is(self, clock):
        cup, rows = full(2, waiting=1, claim_minutes=30)
        entries.withdraw(by(rows[0]), rows[0].pk)
        tournaments.cancel(organizer(cup), cup.pk)
        clock.forward(minutes=30)
        assert sweep(present()) == 0

    def test_declining_a_place_passes_it_on(self):
        cup, rows = full(2, waiting=2, claim_minutes=30)
        entries.withdraw(by(rows[0]), rows[0].pk)
        entries.withdraw(by(rows[2]), rows[2].pk)
        assert statuses(cup) == ["withdrawn", "confirmed", "withdrawn", "offered"]
        assert Entry.objects.get(pk=rows[2].pk).claim_by is None

    def test_who_comes_back_is_at_the_end(self):
        cup, rows = full(2, waiting=2)
        entries.withdraw(by(rows[2]), rows[2].pk)
        back = factories.enter(cup, rows[2].user)
        entries.withdraw(by(rows[0]), rows[0].pk)
        entries.withdraw(by(rows[1]), rows[1].pk)
        order = [Entry.objects.get(pk=pk).status for pk in (rows[3].pk, back.pk)]
        assert order == ["confirmed", "confirmed"]
        promoted = [e for e in log.read(cup.stream, after=0, limit=99) if e.type == "registration_promoted"]
        assert [json.loads(bytes(e.data))["entry"]["id"] for e in promoted] == [rows[3].pk, back.pk]

    def test_more_places_are_held_for_as_many(self):
        cup, _ = full(2, waiting=3, claim_minutes=30)
        tournaments.edit(organizer(cup), cup.pk, capacity=4)
        assert statuses(cup) == ["confirmed", "confirmed", "offered", "offered", "waitlisted"]

    def test_the_draw_does_not_wait_for_a_claim(self):
        cup, rows = full(3, waiting=1, claim_minutes=30)
        entries.withdraw(by(rows[0]), rows[0].pk)
        factories.draw(cup)
        assert statuses(cup) == ["withdrawn", "confirmed", "confirmed", "expired"]
        the_log_is_the_state(cup)

    def test_entrants_from_before_there_were_times_come_first(self):
        cup, rows = full(2, waiting=2)
        Entry.objects.filter(pk=rows[3].pk).update(waitlisted_at=None)
        entries.withdraw(by(rows[0]), rows[0].pk)
        assert statuses(cup)[2:] == ["waitlisted", "confirmed"]


class TestRandomWaitlists:
    """Against a list of names: whoever is first in it is always the next."""

    def test_the_next_is_always_the_first_who_waits(self, clock):
        @settings(max_examples=25)
        @given(
            places=st.integers(2, 4),
            holds=st.booleans(),
            steps=st.lists(
                st.tuples(st.sampled_from(["enter", "leave", "claim", "wait"]), st.integers(0, 9)), max_size=30
            ),
        )
        def run(places, holds, steps):
            cup = factories.open_registration(factories.make_tournament(capacity=places, claim_minutes=10 * holds))
            model: dict[int, str] = {}  # what each entry should be, in the order in which they came

            for step, number in steps:
                if step == "enter":
                    entry = factories.enter(cup, factories.make_user())
                    model[entry.pk] = "waitlisted"
                elif step == "wait":
                    clock.forward(minutes=10)
                    sweep(present())
                    model = {pk: "expired" if status == "offered" else status for pk, status in model.items()}
                else:
                    meant = ("offered",) if step == "claim" else ("confirmed", "offered", "waitlisted")
                    fitting = [pk for pk, status in model.items() if status in meant]
                    if not fitting:
                        continue
                    pk = fitting[number % len(fitting)]
                    service = waitlist.claim if step == "claim" else entries.withdraw
                    service(organizer(cup), pk)
                    model[pk] = "confirmed" if step == "claim" else "withdrawn"
                give_places(model, places, held=holds, entering=step == "enter")
                assert statuses(cup) == list(model.values())

        run()


def give_places(model, places, *, held, entering):
    while sum(status in ("confirmed", "offered") for status in model.values()) < places:
        first = next((pk for pk, status in model.items() if status == "waitlisted"), None)
        if first is None:
            return
        model[first] = "offered" if held and not entering else "confirmed"


class TestCheckIn:
    def test_before_and_after_its_time_it_is_said_when(self, clock):
        opens, closes = clock.at + timedelta(hours=1), clock.at + timedelta(hours=2)
        cup = factories.open_with_entries(1, check_in=True, check_in_opens_at=opens, check_in_closes_at=closes)
        entry = cup.entries.get()
        with pytest.raises(Conflict, match="Check-in opens on 22 Nov 2026, 19:00 UTC"):
            entries.check_in(by(entry), entry.pk)
        clock.forward(hours=1)
        entries.check_in(by(entry), entry.pk)
        clock.forward(hours=1)
        for service in (entries.check_in, entries.revert_check_in):
            with pytest.raises(Conflict, match="Check-in closed on 22 Nov 2026, 20:00 UTC"):
                service(organizer(cup), entry.pk)

    def test_places_of_those_who_are_not_here_go_to_those_who_wait_here(self):
        cup, rows = full(3, waiting=3, check_in=True, claim_minutes=30)
        for number in (0, 1, 4, 5):
            entries.check_in(by(rows[number]), rows[number].pk)
        factories.draw(cup)
        assert statuses(cup) == ["confirmed", "confirmed", "no_show", "waitlisted", "confirmed", "waitlisted"]
        assert {row.entry_id for row in StageEntry.objects.all()} == {rows[n].pk for n in (0, 1, 4)}
        the_log_is_the_state(cup)

    @pytest.mark.parametrize(("here", "becomes"), [(True, "confirmed"), (False, "expired")])
    def test_a_place_that_is_held_when_check_in_ends_is_for_who_is_here(self, here, becomes):
        cup, rows = full(3, waiting=1, check_in=True, claim_minutes=30)
        entries.withdraw(by(rows[0]), rows[0].pk)
        for row in rows[1:] if here else rows[1:3]:
            entries.check_in(by(row), row.pk)
        factories.draw(cup)
        assert statuses(cup)[3] == becomes

    def test_where_opponents_walk_over_nobody_else_gets_the_place(self):
        cup, rows = full(3, waiting=1, check_in=True, no_show_rule="walkover")
        for number in (0, 1, 3):
            entries.check_in(by(rows[number]), rows[number].pk)
        factories.draw(cup)
        assert statuses(cup) == ["confirmed", "confirmed", "no_show", "waitlisted"]
        assert StageEntry.objects.count() == 3

    def test_who_asks_to_be_let_in_cannot_check_in_yet(self):
        cup = factories.open_with_entries(1, check_in=True, entry_rule="approval")
        entry = cup.entries.get()
        with pytest.raises(Conflict, match="is pending; only an entrant who has a place or waits for one"):
            entries.check_in(by(entry), entry.pk)

    @pytest.fixture
    def after(self):
        """A tournament of three places after check-in, registration still open; one of two was here."""
        cup = factories.open_with_entries(2, capacity=3, check_in=True)
        here = cup.entries.select_related("user").first()
        entries.check_in(by(here), here.pk)
        unit = Unit("close", organizer(cup), present())
        unit.lock(cup.pk, check=False)
        entries.close_check_in(unit)
        unit.finish({}, fingerprint="")
        return factories.fresh(cup)

    def test_whoever_comes_after_it_is_here(self, after):
        late = factories.enter(after, factories.make_user())
        assert late.status == "confirmed"
        assert late.checked_in_at
        with pytest.raises(Conflict, match="Check-in is over"):
            entries.revert_check_in(by(late), late.pk)
        factories.draw(after)
        assert StageEntry.objects.count() == 2

    def test_an_organiser_can_let_somebody_in_who_was_late(self, after):
        late = after.entries.get(status="no_show")
        admission.approve(organizer(after), late.pk)
        late.refresh_from_db()
        assert (late.status, late.checked_in_at is not None) == ("confirmed", True)
        the_log_is_the_state(after)

    def test_who_keeps_their_place_in_the_draw_does_not_register_again(self, after):
        tournaments.edit(organizer(after), after.pk, no_show_rule="walkover")
        late = after.entries.select_related("user").get(status="no_show")
        with pytest.raises(Conflict, match="You did not check in, and keep your place in the draw"):
            entries.register(by(late), after.pk)


class TestLateEntry:
    @pytest.fixture
    def cup(self):
        cup = factories.drawn(4, format=Format.SWISS, stage={"rounds": 4}, capacity=6, late_entry=True)
        return factories.fresh(cup)

    def test_joins_with_the_next_seed_and_lot_and_is_paired_in_the_next_round(self, cup):
        late = factories.enter(cup, factories.make_user())
        row = StageEntry.objects.get(entry=late)
        assert (late.status, late.seed, row.seed, row.lot) == ("confirmed", 5, 5, 5)
        factories.play(cup, matches_at_most=2)
        brackets.pair(organizer(cup), cup.pk)
        second = cup.matches.filter(round=2)
        playing = {pk for match in second for pk in (match.home_id, match.away_id)}
        byes = set(StageEntry.objects.filter(byes__isnull=False).exclude(byes=[]).values_list("entry", flat=True))
        assert late.pk in playing | byes
        the_log_is_the_state(cup)
        factories.play(cup)
        assert factories.fresh(cup).status == "completed"
        the_log_is_the_state(cup)

    def test_the_organiser_enters_somebody_by_name(self, cup):
        done = entries.add(organizer(cup), cup.pk, name="Ada")
        assert StageEntry.objects.get(entry=done.ids["entry_id"]).seed == 5

    def test_where_an_organiser_decides_it_is_the_approval_that_joins(self, cup):
        tournaments.edit(organizer(cup), cup.pk, entry_rule="approval")
        late = factories.enter(cup, factories.make_user())
        assert not StageEntry.objects.filter(entry=late).exists()
        admission.approve(organizer(cup), late.pk)
        assert StageEntry.objects.filter(entry=late).exists()

    def test_who_was_on_the_waitlist_can_be_let_in_when_a_place_is_free(self):
        cup, rows = full(4, waiting=1, format=Format.SWISS, late_entry=True)
        factories.draw(cup)
        with pytest.raises(Conflict, match="All 4 places are taken, and nobody can wait for one during play"):
            admission.approve(organizer(cup), rows[4].pk)
        entries.withdraw(by(rows[0]), rows[0].pk)
        admission.approve(organizer(cup), rows[4].pk)
        assert StageEntry.objects.filter(entry=rows[4]).exists()

    def test_nobody_gets_rid_of_results_by_coming_back(self, cup):
        entry = cup.entries.select_related("user").first()
        entries.withdraw(by(entry), entry.pk)
        with pytest.raises(Conflict, match="Who has left a stage that is being played cannot join it again"):
            entries.register(by(entry), cup.pk)

    @pytest.mark.parametrize(
        ("chosen", "played", "sentence"),
        [
            ({"late_entry": False}, 0, "Registration is not open; the tournament is registration closed"),
            ({"format": Format.SINGLE_ELIMINATION}, 0, "Nobody can join a single elimination that has been drawn"),
            ({"stage": {"rounds": 1}}, 0, "The last round has been paired"),
            ({"capacity": 4}, 0, "All 4 places are taken"),
            ({"stage": {"rounds": 1}}, 9, "Registration is not open; the tournament is completed"),
        ],
    )
    def test_elsewhere_it_is_refused_with_the_reason(self, chosen, played, sentence):
        cup = factories.drawn(4, **({"format": Format.SWISS, "late_entry": True, "capacity": 8} | chosen))
        factories.play(cup, matches_at_most=played)
        before = head(cup)
        with pytest.raises(Conflict, match=sentence):
            entries.register(Actor(factories.make_user()), cup.pk)
        assert head(cup) == before

    def test_a_later_stage_is_for_those_who_got_there(self):
        cup = factories.open_with_entries(4, format=Format.SWISS, stage={"rounds": 1}, late_entry=True)
        stages.add(organizer(cup), cup.pk, format=Format.SWISS, advance=4)
        cup = factories.draw(cup)
        factories.play(cup, matches_at_most=2)
        for _ in range(2):
            with pytest.raises(Conflict, match="The first stage is over, and only who played in it goes on"):
                entries.add(organizer(cup), cup.pk, name="Late")
            if cup.stages.get(number=2).state == "pending":
                brackets.generate(organizer(cup), cup.pk)


class TestDisqualification:
    def test_before_the_draw_the_place_goes_to_the_next(self):
        cup, rows = full(2, waiting=1)
        entries.disqualify(organizer(cup), rows[0].pk)
        assert statuses(cup) == ["disqualified", "confirmed", "confirmed"]
        with pytest.raises(Conflict, match="You were disqualified from this tournament and cannot enter it again"):
            entries.register(by(rows[0]), cup.pk)
        with pytest.raises(Conflict, match="not taking part any more"):
            entries.disqualify(organizer(cup), rows[0].pk)
        the_log_is_the_state(cup)

    def test_during_play_opponents_go_on_and_nothing_in_a_round_robin_counts(self):
        cup = factories.drawn(4, format=Format.ROUND_ROBIN)
        factories.play(cup, matches_at_most=5)
        out = cup.matches.filter(state="ready").first().home
        entries.disqualify(organizer(cup), out.pk)
        assert StageEntry.objects.get(entry=out).annulled
        assert factories.fresh(cup).status == "completed"
        the_log_is_the_state(cup)


class TestNames:
    def test_an_organiser_puts_a_name_right(self):
        cup = factories.drawn(2)
        first, second = cup.entries.order_by("pk")
        entries.update(organizer(cup), first.pk, name="  Ada   Lovelace ")
        assert Entry.objects.get(pk=first.pk).name == "Ada Lovelace"
        with pytest.raises(Conflict, match="Somebody is registered as ADA LOVELACE already"):
            entries.update(organizer(cup), second.pk, name="ADA LOVELACE")
        with pytest.raises(BadRequest, match="The name is missing"):
            entries.update(organizer(cup), second.pk, name=" ")
        the_log_is_the_state(cup)

    def test_also_that_of_somebody_who_is_out_and_of_a_tournament_that_is_over(self):
        cup = factories.open_with_entries(1)
        entry = cup.entries.get()
        entries.withdraw(organizer(cup), entry.pk)
        tournaments.cancel(organizer(cup), cup.pk)
        entries.update(organizer(cup), entry.pk, name="Ada")
        assert cup.entries.get().name == "Ada"
        the_log_is_the_state(cup)
