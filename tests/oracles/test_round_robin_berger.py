"""
Our round robin against FIDE's Berger tables (Handbook C.05), as caissify-pairings has them.

Both play the same rounds, each with the same pairs. The order differs: ours goes through the opponents 1, 2, 3, ... of
the last entrant, Berger's through 1, n/2 + 1, 2, n/2 + 2, ...
"""

from caissify_pairings import generate_pairings

from engine.round_robin import round_robin


def berger(n, legs):
    """Return (white, black) of each round; nobody is None."""
    players = [{"id": seed, "starting_number": seed} for seed in range(1, n + 1)]
    rounds = legs * (n - 1 + n % 2)
    return [
        [
            (p["white_id"], p["black_id"])
            for p in generate_pairings(
                system="round_robin",
                players=players,
                previous_pairings=set(),
                round_number=number,
                total_rounds=rounds,
                cycles=legs,
            )
        ]
        for number in range(1, rounds + 1)
    ]


def ours(n, legs):
    rounds = [[] for _ in range(legs * (n - 1 + n % 2))]
    for match in round_robin(n, legs=legs):
        rounds[match.round - 1].append((match.home_seed, match.away_seed))
    return rounds


def pairs_of(round_):
    return {frozenset(pair) for pair in round_ if None not in pair}


def opponent_of_the_last(n, round_):
    """Return who meets the last entrant of an even number, or is idle if n is odd."""
    playing = {seed for pair in pairs_of(round_) for seed in pair}
    (opponent,) = (
        set(range(1, n + 1)) - playing if n % 2 else next(pair for pair in pairs_of(round_) if n in pair) - {n}
    )
    return opponent


def test_the_rounds_are_those_of_the_berger_tables():
    for n in range(3, 65):
        their_rounds, our_rounds = berger(n, 1), ours(n, 1)
        theirs = {opponent_of_the_last(n, round_): pairs_of(round_) for round_ in their_rounds}
        assert [opponent_of_the_last(n, round_) for round_ in our_rounds] == sorted(theirs), n
        assert [pairs_of(round_) for round_ in our_rounds] == [theirs[place] for place in sorted(theirs)], n


def test_sides_are_shared_out_as_evenly_as_in_the_berger_tables():
    for n in range(3, 65):
        for legs in (1, 2):
            spread = [
                max(
                    abs(sum((home == seed) - (away == seed) for round_ in rounds for home, away in round_ if away))
                    for seed in range(1, n + 1)
                )
                for rounds in (berger(n, legs), ours(n, legs))
            ]
            assert spread[1] <= spread[0], (n, legs)
