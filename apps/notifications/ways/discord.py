"""A webhook of Discord of one's own. Discord knows no ids of messages: what is tried again may stand there twice."""

from apps.errors import BadRequest
from apps.integrations.addresses import parse
from apps.integrations.channels import Fate as EndpointFate
from apps.integrations.channels.discord import Discord, body_of, escaped
from apps.integrations.channels.webhook import USER_AGENT
from apps.integrations.sealing import Unreadable, unseal_bytes
from apps.notifications.ways.base import Errand, Fate, Open, Outcome
from apps.notifications.words import AT, Text
from engine.text import gettext_noop

_FATES = {
    EndpointFate.DELIVERED: Fate.SENT,
    EndpointFate.SKIPPED: Fate.DROPPED,
    EndpointFate.RETRY: Fate.RETRY,
    EndpointFate.OFF: Fate.OFF,
}


def send(errand: Errand, line_to: Open) -> Outcome:
    try:
        target = parse(unseal_bytes(errand.channel.sealed).decode())
    except Unreadable:
        return Outcome(Fate.OFF, gettext_noop("The site has another SECRET_KEY than before. Add it again."))
    except BadRequest as refusal:
        return Outcome(Fate.OFF, refusal.message)
    body = body_of(f"{_line(errand.text)} <{errand.link}>")
    with line_to(target) as line:
        answer = line.post(body, {"Content-Type": "application/json", "User-Agent": USER_AGENT})
    verdict = Discord().judge(answer)
    return Outcome(_FATES[verdict.fate], verdict.reason or answer.error, verdict.wait)


def _line(text: Text) -> str:
    """Return a line of Markdown, in which the reader's own Discord writes the time."""
    at = f"<t:{int(text.at.timestamp())}:t>" if text.at else ""
    return f"**{escaped(text.title)}** {at.join(escaped(part) for part in text.body.split(AT))}"
