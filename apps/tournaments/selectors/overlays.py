"""The addresses of overlays: whoever has one sees its tournament, a draft too, until the organiser renews the key."""

from django.core.signing import BadSignature, Signer

from apps.errors import NotFound
from apps.tournaments.models import Tournament
from engine.text import gettext as _

KINDS = ("scoreboard", "bracket", "veto", "next", "standings", "results", "check-in")

_signer = Signer(salt="deltacrown.overlay")


def signature_of(tournament: Tournament) -> str:
    """Return what makes an address of this tournament's overlays valid."""
    return _signer.signature(_signed(tournament))


def addresses_of(tournament: Tournament) -> dict[str, str]:
    """Return the path of each overlay, with the key that opens it."""
    key = signature_of(tournament)
    return {kind: f"/overlay/{tournament.pk}/{kind}/?key={key}" for kind in KINDS}


def overlaid(tournament_id: int, signature: str) -> Tournament:
    """
    Return the tournament that an address belongs to. One query.

    Raises:
        NotFound: no such tournament, or not its signature, or not any more. Which of these is not to be seen.
    """
    tournament = Tournament.objects.filter(pk=tournament_id).first()
    if tournament is not None:
        try:
            _signer.unsign(f"{_signed(tournament)}:{signature}")
        except BadSignature:
            pass
        else:
            return tournament
    raise NotFound(_("This overlay has ended. Copy its address anew from the tournament's console."))


def _signed(tournament: Tournament) -> str:
    return f"{tournament.pk}.{tournament.overlay_key}"
