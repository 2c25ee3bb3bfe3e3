"""
Plain mail to the address of the account, once its owner has confirmed it.

`Message-ID` is the same when it is sent again, by which most mailboxes drop the second; programs find the way out in
`List-Unsubscribe` (RFC 8058).
"""

from datetime import UTC
from smtplib import SMTPException, SMTPRecipientsRefused
from urllib.parse import urlsplit

from django.core.mail import EmailMessage
from django.utils import translation

from apps.accounts.services import confirmed_address
from apps.notifications.links import unsubscribe_path
from apps.notifications.ways.base import Errand, Fate, Open, Outcome, origin_of
from apps.notifications.words import AT
from apps.words import gettext as _
from engine.text import gettext_noop


def send(errand: Errand, _line_to: Open) -> Outcome:
    address = confirmed_address(errand.channel.user)
    if address is None:
        return Outcome(Fate.OFF, gettext_noop("Your e-mail address is not confirmed."))
    try:
        message_for(errand, address).send()
    except SMTPRecipientsRefused:
        return Outcome(Fate.DROPPED, "The mail server does not take mail for this address.")
    except (SMTPException, OSError) as error:
        return Outcome(Fate.RETRY, f"The mail server did not take it: {type(error).__name__}.")
    return Outcome(Fate.SENT)


def message_for(errand: Errand, address: str) -> EmailMessage:
    origin, text = origin_of(errand.channel), errand.text
    leave = origin + unsubscribe_path(errand.channel)
    # Whoever reads a mail may be in any zone, and nothing in it can find out.
    at = f"{text.at.astimezone(UTC):%H:%M} UTC" if text.at else ""
    with translation.override(errand.language):
        why = _("You get this because you asked for it.")
        stop = _("No more of these mails:")
    return EmailMessage(
        subject=text.title,
        body=f"{text.body.replace(AT, at)}\n\n{errand.link}\n\n-- \n{why}\n{stop} {leave}\n",
        to=[address],
        headers={
            "Message-ID": f"<{errand.id}@{urlsplit(origin).hostname or 'localhost'}>",
            "List-Unsubscribe": f"<{leave}>",
            "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
            "Auto-Submitted": "auto-generated",
        },
    )
