"""Many entrants at once, from a file."""

from apps.tournaments.events import RegistrationImported
from apps.tournaments.exchange.csv_files import EntrantRow, read_entrants
from apps.tournaments.models import Entry, EntryStatus
from apps.tournaments.models.entry import ACTIVE
from apps.tournaments.services.unit import Actor, Answer, Done, Unit, command
from apps.tournaments.services.uploaded import Uploaded
from apps.tournaments.services.waitlist import check_before_draw, free


def import_entries(actor: Actor, tournament_id: int, data: bytes) -> Done:
    """
    Enter everybody in a CSV file by name, with seeds where it has some; on the waitlist when the places are taken.

    The columns are in exchange.csv_files; rating and team are read and not kept. Answers {"tournament_id", "added",
    "first_entry_id", "last_entry_id"}.

    Raises:
        BadRequest: `errors` lists everything that is wrong in the file, names and seeds that somebody has already
            among it, as {"row", "column", "message"}. Nobody is entered then.
        Conflict: the bracket has been drawn.
    """
    return _import_entries(actor, tournament_id, Uploaded.of(data, data))


@command("import_entries")
def _import_entries(unit: Unit, /, tournament_id: int, uploaded: Uploaded[bytes]) -> Answer:
    tournament = unit.lock(tournament_id)
    check_before_draw(unit)
    active = tournament.entries.filter(status__in=ACTIVE).values_list("name", "seed")
    names, seeds = {name for name, _ in active}, {seed for _, seed in active if seed is not None}
    rows = read_entrants(uploaded.content, names=names, seeds=seeds).entrants
    places = free(tournament)
    entries = [_entry(unit, row, has_place=index < places) for index, row in enumerate(rows)]
    event = RegistrationImported(entries=unit.create(entries))
    if any(row.seed is not None for row in rows):
        tournament.seeding, tournament.draw_seed = "manual", None
        event.tournament = unit.save(tournament)
    unit.emit(event)
    return {
        "tournament_id": tournament.pk,
        "added": len(entries),
        "first_entry_id": entries[0].pk,
        "last_entry_id": entries[-1].pk,
    }


def _entry(unit: Unit, row: EntrantRow, *, has_place: bool) -> Entry:
    entry = Entry(tournament=unit.tournament, name=row.name, seed=row.seed, created_at=unit.now)
    if not has_place:
        entry.status, entry.waitlisted_at = EntryStatus.WAITLISTED, unit.now
    elif unit.tournament.check_in_closed:
        entry.checked_in_at = unit.now  # whoever comes now is here
    return entry
