"""Tournament report files: what we write is read back, and files of others are understood or refused with a reason."""

from datetime import date

import pytest
from hypothesis import given

from apps.errors import BadRequest
from apps.tournaments.exchange.trf import TrfPlayer, TrfRound, TrfTournament, read_trf, write_trf
from engine.results import Points
from tests.unit.exchange.trf_files import tournaments

#          1         2         3         4         5         6         7         8         9
# 123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789012345678901
FILE = """\
012 Winter Open
022 Torino
042 2026/01/05
062 4
XXR 5
001    1 m GM Müller,Ada                        2500 GER     4600000 1990/02/03  1.5    1     2 w 1  0000 - H
001    2      Çelik,Boris                       2400                             0.0    3     1 b 0     3 w -
001    3      Chen,Wei                          2300                             1.0    2  0000 - Z     2 b +
001    4      Dilan                                                              1.0    2  0000 - U
"""


class TestReading:
    def test_columns_are_where_the_handbook_has_them(self):
        tournament = read_trf(FILE.encode())
        assert (tournament.name, tournament.city, tournament.starts) == ("Winter Open", "Torino", date(2026, 1, 5))
        assert tournament.rounds == 5
        assert tournament.players[0] == TrfPlayer(
            number=1,
            name="Müller,Ada",
            sex="m",
            title="GM",
            rating=2500,
            federation="GER",
            fide_id="4600000",
            born="1990/02/03",
            points=1.5,
            rank=1,
            rounds=(TrfRound(2, "w", "1"), TrfRound(None, "-", "H")),
        )
        assert tournament.players[2].rounds == (TrfRound(None, "-", "Z"), TrfRound(2, "b", "+"))

    @pytest.mark.parametrize(
        "data",
        [
            pytest.param(FILE.encode("utf-8-sig"), id="byte order mark"),
            pytest.param(FILE.encode("latin-1"), id="latin-1"),
            pytest.param(FILE.encode("utf-16"), id="utf-16"),
            pytest.param(FILE.replace("\n", "\r\n").encode(), id="cr lf"),
            pytest.param(FILE.replace("\n", "\r").encode(), id="cr"),
            pytest.param(FILE.replace("\n", "      \n\n").encode(), id="blanks and blank lines"),
            pytest.param(FILE.replace("0000 - Z", "        ").encode(), id="absence left blank"),
            pytest.param(FILE.replace("0000 - Z", "   0 - Z").encode(), id="one zero"),
            pytest.param(FILE.replace(" w ", " W ").replace("- H", "- h").encode(), id="other case"),
            pytest.param(FILE.replace("1.5 ", "1,5 ").encode(), id="decimal comma"),
            pytest.param(FILE.replace("2026/01/05", "05.01.2026").encode(), id="day first"),
            pytest.param(FILE.replace("XXR", "142").encode(), id="trf26"),
        ],
    )
    def test_files_of_other_programs_say_the_same(self, data):
        assert read_trf(data) == read_trf(FILE.encode())

    def test_a_game_without_result_is_paired_and_not_played(self):
        first, second = "001    1      A".ljust(91) + "   2 w", "001    2      B".ljust(91) + "   1 b"
        players = read_trf(f"{first}\n{second}\n".encode()).players
        assert [player.rounds for player in players] == [(TrfRound(2, "w", ""),), (TrfRound(1, "b", ""),)]

    def test_unknown_lines_and_unreadable_header_values_come_back_as_they_were(self):
        lines = ("042 next spring", "XXP 1 2", "### made by hand", "162  W abc", "XXR many")
        tournament = read_trf(("\n".join(lines) + "\n" + FILE).encode())
        assert tournament.other_lines == lines
        assert all(f"{line}\r\n" in write_trf(tournament).decode() for line in lines)

    @pytest.mark.parametrize(
        ("old", "new", "line", "says"),
        [
            ("     2 w 1", "     9 w 1", 6, "Round 1 is against player 9, who is no other player"),
            ("     2 w 1", "     1 w 1", 6, "Round 1 is against player 1, who is no other player"),
            ("     2 w 1", "     3 w 1", 6, "but line 8 has nobody"),
            ("     2 w 1", "     2 b 1", 6, "but line 7 has 1 with colour b"),
            ("     2 w 1", "     2 x 1", 6, "the colour “x”"),
            ("     2 w 1", "     2 w 2", 6, "the result “2” against player 2; it has to be one of 1 = 0"),
            ("0000 - H", "0000 - 1", 6, "the result “1” without an opponent; it has to be one of U F H Z"),
            ("     2 w 1", "    2 w 1 ", 6, "Round 1 is not an opponent, a colour and a result in columns 92–99"),
            ("2500", "25x0", 6, "The rating (columns 49–52) is “25x0”, not a number"),
            ("   4      Dilan", "   3      Dilan", 9, "Player 3 was already in line 8"),
            ("   4      Dilan", "          Dilan", 9, "needs a starting number"),
            ("Dilan", "     ", 9, "and a name"),
        ],
    )
    def test_what_contradicts_itself_is_refused_with_its_line(self, old, new, line, says):
        with pytest.raises(BadRequest) as refused:
            read_trf(FILE.replace(old, new, 1).encode())
        assert refused.value.message.startswith(f"Line {line}: ")
        assert says in refused.value.message
        assert refused.value.data == {"field": "file", "line": line}

    @pytest.mark.parametrize(
        ("data", "says"),
        [
            (b"", "no players"),
            (b"name,seed\nAda,1\n", "no line begins with 001"),
            (b"PK\x03\x04\0\0binary", "not text"),
            (b"x" * (8 * 1024 * 1024 + 1), "too large"),
        ],
    )
    def test_what_is_no_report_is_refused(self, data, says):
        with pytest.raises(BadRequest, match=says):
            read_trf(data)


class TestWriting:
    @given(tournaments())
    def test_what_is_written_is_read_back(self, tournament):
        assert read_trf(write_trf(tournament)) == tournament

    def test_values_stand_in_their_columns(self):
        written = write_trf(read_trf(FILE.encode())).decode().split("\r\n")
        given_lines = FILE.split("\n")
        assert written[-5:] == [*given_lines[5:8], given_lines[8] + "  0000 - Z", ""]

    def test_unusual_points_are_stated_in_line_162(self):
        player = TrfPlayer(number=1, name="Ada", points=117)
        tournament = TrfTournament(players=(player,), scoring=Points(win=3, draw=1, loss=0, bye=1.5))
        text = write_trf(tournament).decode()
        assert "162  W 3.0    D 1.0    L 0.0    P 1.5\r\n" in text
        assert text.split("\r\n")[-2][80:84] == " 117"

    @pytest.mark.parametrize(
        ("player", "says"),
        [
            (TrfPlayer(number=1, name="A" * 34), "has 34 characters; a TRF has room for 33"),
            (TrfPlayer(number=10000, name="A"), "The number “10000”"),
            (TrfPlayer(number=1, name="A", points=100.5), "no room for 100.5 points"),
            (TrfPlayer(number=1, name="A", points=0.25), "no room for 0.25 points"),
        ],
    )
    def test_what_has_no_room_is_refused(self, player, says):
        with pytest.raises(BadRequest, match=says):
            write_trf(TrfTournament(players=(player,)))
