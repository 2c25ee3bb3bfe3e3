"""Whatever the bytes are, a reader returns what they say or refuses them with a reason; nothing else escapes."""

from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.errors import BadRequest
from apps.tournaments.exchange.brackets_json import read_brackets
from apps.tournaments.exchange.csv_files import EntrantRow, read_entrants, write_entrants
from apps.tournaments.exchange.trf import read_trf, write_trf
from apps.tournaments.exchange.trf_results import league_of
from tests.unit.exchange.test_trf import FILE

BRACKETS = (Path(__file__).parents[2] / "data/brackets/single_8.json").read_bytes()
CSV = write_entrants([EntrantRow("=Ada", 1, 1900, "Reds"), EntrantRow('B"ob', 2)])


def read_and_write_trf(data):
    """What is read can be taken over, and comes back from what is written of it."""
    tournament = read_trf(data)
    assert read_trf(write_trf(tournament)) == tournament
    league_of(tournament)


@pytest.mark.parametrize(
    ("sample", "read"),
    [(FILE.encode(), read_and_write_trf), (CSV, read_entrants), (BRACKETS, read_brackets)],
    ids=["trf", "csv", "brackets"],
)
@settings(max_examples=200)
@given(data=st.data())
def test_damaged_files_are_read_or_refused(sample, read, data):
    damaged = bytearray(sample)
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(damaged)))
        end = data.draw(st.integers(start, min(start + 20, len(damaged))))
        pieces = st.binary(max_size=4) | st.sampled_from([b"null", b"-1", b"[]", b'""', b"\r", b"\n001", b"\t", b"1e9"])
        damaged[start:end] = data.draw(pieces)
    with suppress(BadRequest):
        read(bytes(damaged))
