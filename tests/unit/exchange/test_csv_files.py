"""Tables for spreadsheets: exact both ways, harmless in a spreadsheet, and every fault told at once."""

import csv
import io
import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from apps.errors import BadRequest
from apps.tournaments.exchange.csv_files import (
    EntrantRow,
    ResultRow,
    StandingRow,
    read_entrants,
    read_table,
    write_entrants,
    write_results,
    write_standings,
    write_table,
)

ADA, BORIS = EntrantRow("Ada", 1, 1900, "Reds"), EntrantRow("Boris", 2, None, "")

cells = st.text(
    st.sampled_from("=+-@\t\r\n'\",;ab é") | st.characters(codec="utf-8", exclude_characters="\0"), max_size=12
)
words = st.text(st.sampled_from("=+-@',;\"ab é") | st.characters(codec="utf-8", categories=("L", "N")), max_size=30)
names = words.map(lambda text: unicodedata.normalize("NFC", " ".join(text.split())))


def faults(data):
    with pytest.raises(BadRequest) as refused:
        read_entrants(data)
    assert refused.value.data["field"] == "file"
    return [(fault["row"], fault["column"]) for fault in refused.value.data["errors"]], refused.value.message


class TestTables:
    @given(st.lists(st.lists(cells, min_size=3, max_size=3), max_size=5))
    def test_any_text_comes_back_exactly(self, rows):
        table = read_table(write_table(["one", "two", "three"], rows))
        assert [row for _, row in table] == [["one", "two", "three"], *rows]

    @given(cells)
    @example("a;=1")
    @example("a\t@SUM(1)")
    def test_no_text_begins_a_formula_in_any_country(self, text):
        """Spreadsheets separate by comma, semicolon or tab, whichever their country takes."""
        plain = next(csv.reader(io.StringIO(write_table([text, "end"], []).decode("utf-8-sig"), newline="")))[0]
        assert not plain.startswith(tuple("=+-@\t\r"))
        for separator in ",;\t\r\n":
            assert not any(f"{separator}{sign}" in plain for sign in "=+-@")

    def test_numbers_stay_numbers(self):
        assert write_table(["a"], [[-3], [2.5], [4.0], [None], ["-3"]]).decode("utf-8-sig").split("\r\n") == [
            "a", "-3", "2.5", "4", '""', "'-3", ""
        ]  # fmt: skip

    def test_an_apostrophe_that_guards_nothing_is_left_alone(self):
        assert write_table(["'t Hart"], []) == b"\xef\xbb\xbf't Hart\r\n"


class TestReadingEntrants:
    @pytest.mark.parametrize(
        "text",
        [
            "name,seed,rating,team\nAda,1,1900,Reds\nBoris,2,,\n",
            "team;RATING; Name ;seed\r\nReds;1900;Ada;1\r\n;;Boris;2\r\n",
            "seed\tname\tteam\trating\n1\tAda\tReds\t1900\n2\tBoris\n",
            'sep=;\n"Player";"#";"Elo";"Club"\n"Ada";"1";"1900";"Reds"\n"Boris";"2";"";""\n',
            "name,seed,rating,team\n\nAda,1,1900,Reds\n,,,\n Boris ,2,,,,\n",
        ],
        ids=["plain", "other-order", "short-rows", "told-separator", "blanks"],
    )
    @pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "latin-1"])
    def test_columns_separators_and_encodings_of_any_program(self, text, encoding):
        assert read_entrants(text.encode(encoding)).entrants == (ADA, BORIS)

    def test_names_keep_their_separators_and_accents(self):
        data = 'Name;E-Mail\n"Ünal; ""Bob"", Jr.";u@example.org\n'.encode("cp1252")
        read = read_entrants(data)
        assert (read.entrants, read.ignored) == ((EntrantRow('Ünal; "Bob", Jr.'),), ("E-Mail",))

    def test_every_fault_is_told_with_its_row(self):
        rows = ["Ada,1,x", ",2,1", "ada,3,1", "Eve,1,1", "Fay,0,99999", "G" * 61 + ",5,1", "Hal,6,1,more", "Ok,7,1"]
        found, message = faults(("name,seed,rating\n" + "\n".join(rows)).encode())
        assert found == [
            (2, "rating"),
            (3, "name"),
            (4, "name"),
            (5, "seed"),
            (6, "seed"),
            (6, "rating"),
            (7, "name"),
            (8, ""),
        ]
        assert message.startswith(
            "Row 2: The rating “x” is not a whole number from 0 to 9999. Row 3: The name is missing."
        )
        assert message.endswith("And 5 more.")

    @pytest.mark.parametrize(
        ("text", "row", "says"),
        [
            ("", 1, "which column is the “name”. It has nothing"),
            ("seed,elo\n1,2\n", 1, "It has “seed”, “elo”"),
            ("name,Player\nA,B\n", 1, "two columns for the name"),
            ("name\n\n", 1, "no entrants below"),
            ('name\nAda\n"Boris\n', 3, "quotation mark is not closed"),
            ('name,seed\n"Ada"x,1\n', 2, "text comes after one that is"),
            ("name\n" + "".join(f"P{i}\n" for i in range(4097)), 4098, "more than 4096 entrants"),
        ],
    )
    def test_what_cannot_be_a_list_of_entrants_is_refused(self, text, row, says):
        found, message = faults(text.encode())
        assert [number for number, _ in found] == [row]
        assert says in message

    def test_4096_entrants_fit(self):
        assert len(read_entrants(write_entrants(EntrantRow(f"P{i}", i) for i in range(1, 4097))).entrants) == 4096


class TestWriting:
    @given(st.lists(st.tuples(names, st.none() | st.integers(0, 9999), names), min_size=1, max_size=6))
    def test_entrants_come_back(self, rows):
        named = {name.casefold(): (name, *rest) for name, *rest in rows if name} or {"ada": ("Ada", 1, "")}
        entrants = tuple(EntrantRow(name, seed, *rest) for seed, (name, *rest) in enumerate(named.values(), 1))
        assert read_entrants(write_entrants(entrants)).entrants == entrants

    def test_results_and_standings_are_tables_with_headers(self):
        result = ResultRow(1, "main", 0, 2, 7, "=Ada", "Boris", 2, None, "=Ada", "completed")
        assert write_results([result]).decode("utf-8-sig") == (
            "stage,bracket,group,round,match,home,away,home_score,away_score,winner,state\r\n"
            "1,main,,2,7,'=Ada,Boris,2,,'=Ada,completed\r\n"
        )
        standing = StandingRow(2, 1, "Ada", 3, 2, 1, 0, 2.5, (4.5, "–"))
        assert write_standings([standing], ["buchholz", "wins"]).decode("utf-8-sig") == (
            "group,rank,name,played,won,drawn,lost,points,buchholz,wins\r\n2,1,Ada,3,2,1,0,2.5,4.5,–\r\n"
        )
