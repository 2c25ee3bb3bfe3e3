"""The match on stream: one at most, it stays when it is over, and it goes with the draw that it was made by."""

import msgspec
import pytest

from apps.errors import BadRequest
from apps.eventlog import log
from apps.eventlog.log import PUBLIC
from apps.tournaments.exchange.document import write_document
from apps.tournaments.realtime.feed import all_seen_in
from apps.tournaments.realtime.rooms import Room
from apps.tournaments.selectors.export import export
from apps.tournaments.selectors.snapshots import tournament_snapshot
from apps.tournaments.services import Actor, brackets, imports, matches, on_stream, reopening, stages
from engine.match_flow import Score
from engine.projection import fold
from engine.stages import Format
from tests import factories

pytestmark = pytest.mark.django_db


def show(cup, number):
    match = None if number is None else factories.match_number(cup, number).pk
    return on_stream.set_on_stream(Actor(cup.created_by), cup.pk, match_id=match)


def on(cup) -> int | None:
    """The match on stream; the log says the same as the rows."""
    state = tournament_snapshot(cup.pk, audience=PUBLIC).data
    assert fold(msgspec.json.decode(event.data) for event in events(cup)) == state
    return state["tournament"]["on_stream"]


def events(cup):
    return log.read(cup.stream, after=0, limit=10_000, audiences=[PUBLIC])


def test_one_match_after_the_other_and_none():
    cup = factories.drawn(4)
    assert on(cup) is None
    for number in (1, 2, None):
        show(cup, number)
        assert on(cup) == (number and factories.match_number(cup, number).pk)


def test_choosing_it_again_is_no_event():
    cup = factories.drawn(2)
    assert show(cup, 1).seq == show(cup, 1).seq


def test_it_stays_when_it_is_over():
    cup = factories.drawn(2)
    match = factories.match_number(cup, 1)
    show(cup, 1)
    matches.start(Actor(cup.created_by), match.pk)
    matches.finish(Actor(cup.created_by), match.pk, Score(2, 1))
    assert on(cup) == match.pk


def test_a_match_of_another_tournament_cannot_be_it():
    cup, other = factories.drawn(2), factories.drawn(2)
    with pytest.raises(BadRequest, match="no such match"):
        on_stream.set_on_stream(Actor(cup.created_by), cup.pk, match_id=factories.match_number(other, 1).pk)
    assert on(cup) is None


def test_it_goes_with_a_draw_that_is_made_anew():
    cup = factories.drawn(4)
    show(cup, 1)
    brackets.generate(Actor(cup.created_by), cup.pk)
    assert on(cup) is None


def test_it_goes_with_a_round_that_is_paired_anew_and_another_one_stays():
    cup = factories.drawn(4, format=Format.SWISS)
    factories.play(cup, matches_at_most=2)
    brackets.pair(Actor(cup.created_by), cup.pk)
    for number, left in ((3, None), (1, factories.match_number(cup, 1).pk)):
        show(cup, number)
        brackets.pair(Actor(cup.created_by), cup.pk, again=True)
        assert on(cup) == left


def test_it_goes_with_a_draw_that_a_reopening_takes_back():
    cup = factories.open_with_entries(4, format=Format.ROUND_ROBIN)
    by = Actor(cup.created_by)
    stages.add(by, cup.pk, format=Format.SINGLE_ELIMINATION, advance=2)
    factories.draw(cup)
    factories.play(cup, matches_at_most=6)
    brackets.generate(by, cup.pk)
    final = cup.matches.filter(stage__number=2).latest("number")
    on_stream.set_on_stream(by, cup.pk, match_id=final.pk)
    first = cup.matches.get(stage__number=1, number=1)
    token = reopening.preview(by, first.pk).token
    assert on(cup) == final.pk, "a preview changes nothing"
    reopening.reopen(by, first.pk, token=token)
    assert not cup.matches.filter(pk=final.pk).exists()
    assert on(cup) is None


def test_the_rooms_of_both_matches_hear_of_it():
    cup = factories.drawn(4)
    show(cup, 1)
    for number in (1, 2):
        room = Room(cup.stream, factories.match_number(cup, number).subject, PUBLIC)
        assert [event.type for event in all_seen_in(events(cup), room)][-1] == "tournament_on_stream"


def test_a_copy_of_the_tournament_is_not_on_stream():
    cup = factories.drawn(2)
    show(cup, 1)
    done = imports.import_tournament(Actor(factories.make_user()), write_document(export(cup.pk)))
    assert tournament_snapshot(done.ids["tournament_id"], audience=PUBLIC).data["tournament"]["on_stream"] is None
