"""
A file of brackets-manager as a document: our own stages of its seeding, with its results where the same two meet.

Our lower brackets take losers in another order than its default, because rematches come later so. A file whose lower
bracket pairs others is refused rather than bent.
"""

from collections.abc import Mapping
from datetime import datetime

import msgspec

from apps.errors import BadRequest
from apps.tournaments.exchange import document
from apps.tournaments.exchange.board import Board, BoardMatch
from apps.tournaments.exchange.brackets_json import ImportedBrackets, ImportedMatch, ImportedStage
from apps.tournaments.exchange.document import FORMAT, Document
from apps.tournaments.exchange.trf_document import TITLE_LENGTH, UNNAMED
from apps.tournaments.text import clean_line
from engine.bracket import MIN_ENTRANTS, Bracket, PlannedMatch, Side
from engine.double_elimination import double_elimination
from engine.elimination import single_elimination
from engine.errors import EngineError
from engine.match_flow import Score, decided
from engine.round_robin import grouped_round_robin
from engine.stages import Format
from engine.text import Text, gettext_noop
from engine.text import gettext as _

_MATCH_IN = {
    Bracket.MAIN: gettext_noop("Stage “{stage}”, the match of {home} and {away} in round {round}: {message}"),
    Bracket.LOWER: gettext_noop(
        "Stage “{stage}”, the match of {home} and {away} in round {round} of the lower bracket: {message}"
    ),
    Bracket.GRAND_FINAL: gettext_noop(
        "Stage “{stage}”, the match of {home} and {away} in round {round} of the grand final: {message}"
    ),
    Bracket.THIRD_PLACE: gettext_noop(
        "Stage “{stage}”, the match of {home} and {away} in round {round} of the third-place match: {message}"
    ),
}


def document_of(brackets: ImportedBrackets, at: datetime) -> Document:
    """
    Return the document of a file; all its stages are live.

    Args:
        at: when what has been played is said to have ended; the file does not tell.

    Raises:
        BadRequest: a match that our stage of this seeding has not, or a result that cannot be; it is named.
    """
    number_of = {name: number for number, name in enumerate(brackets.participants, start=1)}
    seeds = {name: seed for seed, name in enumerate(brackets.stages[0].seeding, start=1)}
    stages = [_stage(index, stage, number_of, at) for index, stage in enumerate(brackets.stages, start=1)]
    started = any(match.decided for stage in brackets.stages for match in stage.matches)
    name = clean_line("name", brackets.name[:TITLE_LENGTH], at_most=TITLE_LENGTH)
    return Document(
        format=FORMAT,
        tournament=document.Tournament(
            name=name or UNNAMED,
            status="live" if started else "registration_closed",
            capacity=max(len(number_of), MIN_ENTRANTS),
            seeding="manual",
            created_at=at,
        ),
        entries=[
            document.Entry(number=number, name=name, seed=seeds.get(name), created_at=at)
            for name, number in number_of.items()
        ],
        stages=stages,
    )


def _stage(number: int, stage: ImportedStage, number_of: Mapping[str, int], at: datetime) -> document.Stage:
    groups = stage.groups if len(stage.groups) > 1 else (stage.seeding,)
    board = _board(stage, groups, number_of)
    waiting = [match for match in stage.matches if match.decided]
    while waiting:
        left = [match for match in waiting if not _enter(board, stage, match, number_of)]
        if len(left) == len(waiting):
            raise _elsewhere(stage, left[0])
        waiting = left
    for match in stage.matches:
        if not match.decided and match.home and match.away and _find(board, match, number_of) is None:
            raise _elsewhere(stage, match)
    group_of = {name: index for index, group in enumerate(groups, start=1) for name in group} if stage.groups else {}
    return document.Stage(
        number=number,
        name=stage.name[:60],
        format=stage.format,
        state="live",
        settings=msgspec.to_builtins(stage.settings),
        entries=[
            document.StageEntry(
                entry=number_of[name], seed=seed, lot=seed, group=group_of[name] if len(groups) > 1 else 0
            )
            for seed, name in enumerate(stage.seeding, start=1)
        ],
        matches=board.matches(at),
    )


def _board(stage: ImportedStage, groups: tuple[tuple[str, ...], ...], number_of: Mapping[str, int]) -> Board:
    def entry_of(group: int, seed: int) -> int:
        return number_of[groups[max(group - 1, 0)][seed - 1]]

    return Board(_plan(stage, groups), stage.settings, entry_of, is_league=stage.format.is_league)


def _plan(stage: ImportedStage, groups: tuple[tuple[str, ...], ...]) -> list[PlannedMatch]:
    match stage.format:
        case Format.SINGLE_ELIMINATION:
            return single_elimination(len(stage.seeding), third_place=stage.settings.third_place_match)
        case Format.DOUBLE_ELIMINATION:
            return double_elimination(len(stage.seeding), reset=stage.settings.grand_final_reset)
        case _:
            return grouped_round_robin([len(group) for group in groups], legs=stage.settings.legs)


def _find(board: Board, match: ImportedMatch, number_of: Mapping[str, int]) -> BoardMatch | None:
    if match.home is None or match.away is None:
        return None
    return board.ready(match.bracket, match.group, number_of[match.home], number_of[match.away])


def _enter(board: Board, stage: ImportedStage, match: ImportedMatch, number_of: Mapping[str, int]) -> bool:
    """Enter a result, and return whether there was a match to enter it into."""
    row = _find(board, match, number_of)
    if row is None or match.home is None:
        return False
    winner, score = match.winner, _score(stage, match)
    if row.sides.home != number_of[match.home]:
        winner, score = winner and winner.other, Score(score.away, score.home)
    board.end(row, winner, score, forfeit=match.forfeit)
    return True


def _score(stage: ImportedStage, match: ImportedMatch) -> Score:
    """Return the score; of a match that was won by nobody knows how much, the least that wins it."""
    home, away = match.home_score or 0, match.away_score or 0
    try:
        if match.forfeit:
            return Score(home, away)
        if home == away == 0 and match.winner is not None:
            wins = match.best_of // 2 + 1
            return Score(wins, 0) if match.winner is Side.HOME else Score(0, wins)
        score = Score(home, away)
        winner = decided(score, best_of=match.best_of, draws=stage.format.is_league)
    except EngineError as error:
        raise _refusal(stage, match, error.text) from error
    if winner is not match.winner:
        raise _refusal(
            stage, match, _("Its score {home}–{away} and its result contradict each other.", home=home, away=away)
        )
    return score


def _elsewhere(stage: ImportedStage, match: ImportedMatch) -> BadRequest:
    why = _("Its results do not lead to it.")
    if match.bracket is Bracket.LOWER:
        why = _("Losers drop into other places of our lower bracket, in which rematches come later.")
    elif match.bracket is Bracket.GRAND_FINAL:
        why = _("Its brackets have no such winners.")
    return _refusal(stage, match, _("These two do not meet there in our bracket of the same seeding. {why}", why=why))


def _refusal(stage: ImportedStage, match: ImportedMatch, message: Text) -> BadRequest:
    values = {"stage": stage.name or stage.number, "home": match.home, "away": match.away, "round": match.round}
    return BadRequest(Text(_MATCH_IN[match.bracket], {**values, "message": message}), field="file")
