"""Lists of entrants as people paste them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.errors import BadRequest
from apps.tournaments.exchange.entrant_lists import MAX_CHARACTERS, read_list


def read(text, **known):
    found = read_list(text, **known)
    return found.kind, [(row.name, row.seed) for row in found.entrants]


@pytest.mark.parametrize(
    ("text", "kind", "entrants"),
    [
        ("Ann\nBen\n\n  Cem  \n", "names", [("Ann", None), ("Ben", None), ("Cem", None)]),
        ("- Ann\n* Ben\n• Cem", "names", [("Ann", None), ("Ben", None), ("Cem", None)]),
        ("1. Ann\n2) Ben\n3: Cem", "numbered", [("Ann", 1), ("Ben", 2), ("Cem", 3)]),
        ("Doe, John\nRoe, Jane", "names", [("Doe, John", None), ("Roe, Jane", None)]),
        ("100 Thieves\n9z Team", "names", [("100 Thieves", None), ("9z Team", None)]),
        ("name,seed\nAnn,2\nBen,1", "table", [("Ann", 2), ("Ben", 1)]),
        ("Player;Club;Seed\nAnn;Reds;1\nBen;Blues;", "table", [("Ann", 1), ("Ben", None)]),
        ("1\tAnn\n2\tBen", "table", [("Ann", 1), ("Ben", 2)]),
        ("Ann,1\nBen,2", "table", [("Ann", 1), ("Ben", 2)]),
        ('name,seed\n"Doe, John",1', "table", [("Doe, John", 1)]),
        ("name\nAnn\nBen", "table", [("Ann", None), ("Ben", None)]),
        ("", "names", []),
    ],
)
def test_what_people_paste_is_understood(text, kind, entrants):
    assert read(text) == (kind, entrants)


def test_what_is_wrong_is_said_line_by_line_and_the_rest_is_read():
    found = read_list("name,seed\nAnn,1\nann,2\nBen,1\nCem,3\nDora,4\n" + "x" * 61 + ",5", names=["CEM"], seeds=[4])
    assert [(line.line, line.problem) for line in found.problems] == [
        (3, "twice"),
        (4, "seed_twice"),
        (5, "taken"),
        (6, "seed_taken"),
        (7, "name"),
    ]
    assert [row.name for row in found.entrants] == ["Ann"]


def test_a_numbered_list_that_goes_on_after_another_has_no_seeds():
    assert read("1. Ann\n2. Ben", seeds=[1, 2]) == ("numbered", [("Ann", None), ("Ben", None)])


@given(st.text(alphabet="ab1,;\t\"'.-\n\r\u202e ", max_size=80))
def test_whatever_is_pasted_nobody_is_there_twice(text):
    found = read_list(text)
    names = [row.name.casefold() for row in found.entrants]
    seeds = [row.seed for row in found.entrants if row.seed is not None]
    assert len(set(names)) == len(names)
    assert len(set(seeds)) == len(seeds)
    assert all(names)


def test_a_book_is_no_list():
    with pytest.raises(BadRequest):
        read_list("x" * (MAX_CHARACTERS + 1))
