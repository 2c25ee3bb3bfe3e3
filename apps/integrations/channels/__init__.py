"""How events are told to each kind of endpoint."""

from apps.integrations.channels.base import Channel, Fate, Message, Verdict
from apps.integrations.channels.discord import Discord
from apps.integrations.channels.webhook import Webhook
from apps.integrations.models import Kind

CHANNELS: dict[str, Channel] = {Kind.WEBHOOK: Webhook(), Kind.DISCORD: Discord()}

__all__ = ["CHANNELS", "Channel", "Fate", "Message", "Verdict"]
