"""Links in mails that need no signing in: they say what they do, and can do nothing else."""

from django.core.signing import BadSignature, Signer
from django.urls import reverse

from apps.notifications.models import Channel

_SIGNER = "deltacrown.notifications.unsubscribe"


def unsubscribe_path(channel: Channel) -> str:
    return reverse("unsubscribe", args=[Signer(salt=_SIGNER).sign(str(channel.pk))])


def channel_of(token: str) -> int | None:
    """Return the id of the channel that a link is about, None for a link that this site has not written."""
    try:
        return int(Signer(salt=_SIGNER).unsign(token))
    except BadSignature:
        return None
