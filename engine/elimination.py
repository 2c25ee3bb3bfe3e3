"""
Single elimination: the matches of a bracket, and where winners and losers go.

A bracket for n entrants has 2^k >= n places in round 1. The 2^k - n missing opponents are byes; they go to the best
seeds, and an entrant with a bye stands in round 2 from the start: a bye is a pass, never a match.
"""

from engine.bracket import MAX_ENTRANTS, MIN_ENTRANTS, Bracket, Place, PlannedMatch, Side
from engine.errors import InvalidField
from engine.seeding import bracket_order, bracket_size
from engine.text import gettext as _

THIRD_PLACE_FROM = 4  # below four entrants there are no two semi-final losers


def single_elimination(entrants: int, *, third_place: bool = False) -> list[PlannedMatch]:
    """
    Return the matches for seeds 1..entrants, in the order of play; the final is the last.

    Args:
        entrants: 2 to 4096.
        third_place: adds a match of the two semi-final losers (from four entrants on) before the final.

    Raises:
        InvalidField: too few or too many entrants.

    Cost: O(entrants). There are entrants - 1 matches, plus the third-place match.
    """
    if not MIN_ENTRANTS <= entrants <= MAX_ENTRANTS:
        message = _(
            "A single-elimination bracket takes {least} to {most} entrants, not {entrants}.",
            least=MIN_ENTRANTS,
            most=MAX_ENTRANTS,
            entrants=entrants,
        )
        raise InvalidField(message)
    size = bracket_size(entrants)
    rounds = size.bit_length() - 1
    order = bracket_order(size)
    third_place = third_place and entrants >= THIRD_PLACE_FROM

    first_round = {i // 2 + 1: (order[i], order[i + 1]) for i in range(0, size, 2)}
    played = {position for position, (_, low) in first_round.items() if low <= entrants}
    keys = [(1, position) for position in sorted(played)]
    keys += [(r, position) for r in range(2, rounds + 1) for position in range(1, (size >> r) + 1)]
    number_of = {key: number for number, key in enumerate(keys, start=1)}
    third_place_number = len(keys)
    if third_place:
        number_of[rounds, 1] += 1

    def seeds(round_: int, position: int) -> tuple[int | None, int | None]:
        if round_ == 1:
            return first_round[position]
        if round_ == 2:  # noqa: PLR2004
            upper, lower = (
                None if feeder in played else first_round[feeder][0] for feeder in (2 * position - 1, 2 * position)
            )
            return upper, lower
        return None, None

    matches = []
    for round_, position in keys:
        side = Side.HOME if position % 2 else Side.AWAY
        is_final, is_semi = round_ == rounds, round_ == rounds - 1
        home, away = seeds(round_, position)
        matches.append(
            PlannedMatch(
                number=number_of[round_, position],
                bracket=Bracket.MAIN,
                round=round_,
                position=position,
                home_seed=home,
                away_seed=away,
                winner_to=None if is_final else Place(number_of[round_ + 1, (position + 1) // 2], side),
                loser_to=Place(third_place_number, side) if is_semi and third_place else None,
            )
        )
    if third_place:
        decider = PlannedMatch(third_place_number, Bracket.THIRD_PLACE, rounds, 1, None, None, None, None)
        matches.insert(len(matches) - 1, decider)
    return matches
