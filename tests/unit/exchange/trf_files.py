"""Tournaments for Hypothesis, as a tournament report file can hold them."""

import string
from datetime import date

from hypothesis import strategies as st

from apps.tournaments.exchange.trf import TrfPlayer, TrfRound, TrfTournament
from engine.results import Points, Result

halves = st.integers(0, 199).map(lambda value: value / 2)


def line(most, *, least=0, alphabet=None):
    """Text as it stands in a line: no blanks around it, none in a row."""
    characters = alphabet or st.characters(codec="utf-8", exclude_categories=("C", "Zl", "Zp"))
    text = st.text(characters, min_size=least, max_size=most)
    return text.map(lambda value: " ".join(value.split()) or "x" * least)


@st.composite
def pairings(draw, numbers):
    """One round: (white, black, result of white, result of black) and (player, bye)."""
    order = draw(st.permutations(numbers))
    count = draw(st.integers(0, len(order) // 2))
    results = [("1", "0"), ("=", "="), ("0", "1"), ("0", "0"), ("+", "-"), ("-", "-"), ("W", "L"), ("D", "D"), ("", "")]
    games = [(order[2 * i], order[2 * i + 1], *draw(st.sampled_from(results))) for i in range(count)]
    return games, [(number, draw(st.sampled_from("UFHZ+=-"))) for number in order[2 * count :]]


@st.composite
def tournaments(draw):
    numbers = draw(st.lists(st.integers(1, 9999), min_size=1, max_size=9, unique=True))
    rounds = {number: [] for number in numbers}
    for _ in range(draw(st.integers(0, 4))):
        games, byes = draw(pairings(numbers))
        for white, black, mine, theirs in games:
            colours = draw(st.sampled_from([("w", "b"), ("b", "w"), ("-", "-")]))
            rounds[white].append(TrfRound(black, colours[0], mine))
            rounds[black].append(TrfRound(white, colours[1], theirs))
        for number, code in byes:
            rounds[number].append(TrfRound(None, "-", code))
    players = [
        TrfPlayer(
            number=number,
            name=draw(line(33, least=1)),
            sex=draw(st.sampled_from(["", "m", "w"])),
            title=draw(st.sampled_from(["", "GM", "WIM"])),
            rating=draw(st.integers(0, 9999)),
            federation=draw(line(3, alphabet=string.ascii_uppercase)),
            fide_id=draw(line(11, alphabet=string.digits)),
            born=draw(st.sampled_from(["", "1978", "1999/12/31"])),
            points=draw(halves | st.sampled_from([100.0, 117.0, -1.5])),
            rank=draw(st.integers(0, 9999)),
            rounds=tuple(own),
        )
        for number, own in rounds.items()
    ]
    days = st.none() | st.dates(date(1000, 1, 1))
    return TrfTournament(
        name=draw(line(60)),
        city=draw(line(20)),
        federation=draw(line(3)),
        starts=draw(days),
        ends=draw(days),
        kind=draw(line(40)),
        rounds=draw(st.integers(0, 999)),
        scoring=draw(st.none() | st.builds(Points, halves, halves, halves, halves)),
        players=tuple(players),
        other_lines=tuple(
            draw(st.lists(st.sampled_from(["XXC white1", "### note", "013 Team    1", "132  x", "FOO"])))
        ),
    )


@st.composite
def leagues(draw):
    """Names, and results with byes of a tournament where everyone has something in every round."""
    count = draw(st.integers(1, 9))
    seeds = range(1, count + 1)
    results, byes = [], {}
    for round_ in range(1, draw(st.integers(0, 4)) + 1):
        games, unpaired = draw(pairings(list(seeds)))
        for home, away, *_ in games:
            winner = draw(st.sampled_from([home, away, None]))
            forfeit = draw(st.booleans())
            scores = (int(winner == home), int(winner == away)) if not forfeit else (0, 0)
            results.append(Result(round_, home, away, winner, *scores, forfeit=forfeit))
        for seed, code in unpaired:
            byes[round_, seed] = {"+": "F", "=": "H", "-": "Z"}.get(code, code)
            if byes[round_, seed] in "UF":
                results.append(Result(round_, seed, None, seed))
    names = tuple(draw(line(33, least=1)) for _ in seeds)
    ratings = tuple(draw(st.integers(0, 9999)) for _ in seeds)
    return names, ratings, tuple(sorted(results, key=lambda result: (result.round, result.home))), byes
