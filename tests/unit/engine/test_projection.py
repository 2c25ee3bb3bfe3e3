import copy

from hypothesis import given, settings
from hypothesis import strategies as st

from engine.projection import COLLECTIONS, apply, empty, fold

ids = st.integers(1, 4)
rows = st.builds(lambda i, f: {"id": i, **f}, ids, st.dictionaries(st.sampled_from("abc"), st.integers(0, 9)))
SINGULAR = ("stage", "entry", "match", "member")
events = st.fixed_dictionaries(
    {},
    optional={
        "tournament": st.dictionaries(st.sampled_from("xyz"), st.integers(0, 9)),
        **dict.fromkeys(SINGULAR, rows),
        **dict.fromkeys(COLLECTIONS, st.lists(rows, max_size=3)),
        "removed": st.dictionaries(st.sampled_from(COLLECTIONS), st.lists(ids, max_size=2)),
        "by": st.just("something that only this event knows"),
    },
)


@settings(max_examples=40)
@given(st.lists(events), st.lists(events))
def test_folding_in_two_parts_is_folding_at_once(first, second):
    assert fold(second, fold(first)) == fold(first + second)


@settings(max_examples=40)
@given(st.lists(events), events)
def test_an_event_that_comes_twice_changes_nothing_more(before, event):
    once = apply(fold(before), event)
    assert apply(copy.deepcopy(once), event) == once


@settings(max_examples=40)
@given(st.lists(events))
def test_the_events_themselves_stay_as_they_are(history):
    original = copy.deepcopy(history)
    state = fold(history)
    for name in COLLECTIONS:
        for row in state[name].values():
            row["changed afterwards"] = True
    assert history == original


def test_singular_parts_go_to_their_collections():
    state = fold([{"match": {"id": 5, "home_score": 1}}, {"member": {"id": 2, "role": "referee"}}])
    assert state == {
        **empty(),
        "matches": {"5": {"id": 5, "home_score": 1}},
        "staff": {"2": {"id": 2, "role": "referee"}},
    }


def test_what_is_removed_is_gone():
    state = fold([{"matches": [{"id": 1}, {"id": 2}]}, {"removed": {"matches": [1]}, "matches": [{"id": 3}]}])
    assert list(state["matches"]) == ["2", "3"]
