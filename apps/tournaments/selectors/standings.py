"""How everybody stands in a stage, and who goes on from it."""

from typing import Any

from apps.tournaments.models import Entry, EntryStatus, Stage, StageEntry
from apps.tournaments.state import match_fields, stage_entry_fields, stage_fields
from engine.bracket import Bracket
from engine.groups import seat_qualifiers
from engine.league import Tables, points_of, results_of, rounds_of, tables
from engine.match_flow import MatchState
from engine.placing import Ended, places
from engine.qualifying import qualified as best_of
from engine.stages import Format
from engine.swiss import Player, finished, players_from, rounds_needed

Rows = list[dict[str, Any]]


def stage_rows(stage: Stage) -> tuple[Rows, Rows]:
    """Return a stage's matches and entrants as the state holds them. Two queries."""
    matches = [match_fields(match) for match in stage.matches.order_by("number")]
    return matches, [stage_entry_fields(row) for row in stage.entries.order_by("seed")]


def tables_of(stage: Stage) -> Tables:
    """Return a league's standings by group. Two queries."""
    return tables(stage_fields(stage), *stage_rows(stage))


def ranks(stage: Stage) -> list[list[tuple[int, int]]]:
    """Return (entry, rank), best first, for each group of a stage. Two queries."""
    if stage.is_league:
        return [[(row.entrant, row.rank) for row in table] for table in tables_of(stage).values()]
    ended = [
        Ended(
            match.number,
            Bracket(match.bracket),
            match.round,
            match.home_id,
            match.away_id,
            match.winner_id,
            cancelled=match.state == MatchState.CANCELLED,
        )
        for match in stage.matches.all()
    ]
    return [places(ended)]


def active_players(stage: Stage) -> list[Player]:
    """Return who can be paired in a Swiss stage, as the pairing sees them. Three queries."""
    matches, rows = stage_rows(stage)
    present = set(
        Entry.objects.filter(stage_entries__stage=stage, status=EntryStatus.CONFIRMED).values_list("pk", flat=True)
    )
    options = stage.options
    results = results_of(matches, rows)
    through = finished(results, ends_at_wins=options.ends_at_wins, ends_at_losses=options.ends_at_losses)
    seeds = {row["entry"]: row["seed"] for row in rows if row["entry"] in present - through}
    return players_from(seeds, results, points_of(stage_fields(stage)))


def rounds_in(stage: Stage) -> int:
    """Return how many rounds a Swiss stage has in all. At most one query."""
    return stage.options.rounds or rounds_needed(stage.entries.count())


def rounds_paired(stage: Stage) -> int:
    """Return how many rounds of a stage have been paired. Two queries."""
    return rounds_of(*stage_rows(stage))


def is_complete(stage: Stage) -> bool:
    """Return whether nothing more will be played in a stage whose matches so far are all over."""
    if stage.format != Format.SWISS:
        return True
    return rounds_paired(stage) >= rounds_in(stage) or len(active_players(stage)) < 2  # noqa: PLR2004


def qualified(stage: Stage, following: Stage) -> list[Entry]:
    """
    Return who goes on from a stage that is over, in the order of their seeds in the following one.

    Who has left the tournament does not go on; the next in line does.
    """
    options = stage.options
    rows = StageEntry.objects.filter(stage=stage, entry__status=EntryStatus.CONFIRMED, rank__isnull=False)
    present = {row.entry_id: row.entry for row in rows.select_related("entry")}
    if stage.is_league and options.groups > 1:
        groups = {group: [row for row in table if row.entrant in present] for group, table in tables_of(stage).items()}
        lots = dict(rows.values_list("entry", "lot"))
        going = best_of(groups, advance=options.advance, rest=options.advance_rest, lots=lots)
        order = [who.entrant for who in going]
        if not following.is_league:
            order = seat_qualifiers(going, seating=following.options.seating)
    else:
        ranked = [entry_id for group in ranks(stage) for entry_id, _ in group if entry_id in present]
        order = ranked[: options.advance] if options.advance else ranked
    return [present[entry_id] for entry_id in order]
