"""Results of leagues: written out, or by chance with all that can happen in a Swiss."""

from random import Random

from engine.results import Result


def played(matches, *, a_round=1):
    """Return results of (home, home score, away score, away), `a_round` matches in each round."""
    return [
        Result(
            round=number // a_round + 1,
            home=home,
            away=away,
            winner=None if for_home == for_away else home if for_home > for_away else away,
            home_score=for_home,
            away_score=for_away,
        )
        for number, (home, for_home, for_away, away) in enumerate(matches)
    ]


def random_swiss(rng: Random, *, entrants: int, rounds: int) -> list[Result]:
    """
    Return the results of seeds 1..`entrants`: no pair twice, one bye each at most.

    Some enter late, some leave, some miss a round; matches are won, drawn, and forfeited by one or by both.
    """
    enters = {seed: rng.choice((1, 1, 1, 1, 2, rounds)) for seed in range(1, entrants + 1)}
    leaves = {seed: rng.choice((rounds,) * 6 + (1, rounds - 1)) for seed in enters}
    met: set[frozenset[int]] = set()
    had_bye: set[int] = set()
    results = []
    for round_ in range(1, rounds + 1):
        free = [seed for seed in enters if enters[seed] <= round_ <= leaves[seed] and rng.random() < 0.93]
        rng.shuffle(free)
        while free:
            home = free.pop()
            away = next((seed for seed in free if frozenset((home, seed)) not in met), None)
            if away is None:
                if home not in had_bye:
                    had_bye.add(home)
                    results.append(Result(round_, home, None, home))
                continue
            free.remove(away)
            met.add(frozenset((home, away)))
            results.append(_played(rng, round_, home, away))
    return results


def _played(rng: Random, round_: int, home: int, away: int) -> Result:
    kind = rng.random()
    if kind < 0.04:
        return Result(round_, home, away, None, forfeit=True)
    if kind < 0.14:
        return Result(round_, home, away, rng.choice((home, away)), forfeit=True)
    home_score, away_score = rng.randint(0, 3), rng.randint(0, 3)
    winner = None if home_score == away_score else home if home_score > away_score else away
    return Result(round_, home, away, winner, home_score, away_score)
