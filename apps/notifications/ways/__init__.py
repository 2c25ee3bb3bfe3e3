"""How somebody is told something."""

from apps.notifications.models import Way
from apps.notifications.ways import discord, mail, push
from apps.notifications.ways.base import Courier, Errand, Fate, Open, Outcome

COURIERS: dict[str, Courier] = {Way.PUSH: push.send, Way.MAIL: mail.send, Way.DISCORD: discord.send}

__all__ = ["COURIERS", "Courier", "Errand", "Fate", "Open", "Outcome"]
