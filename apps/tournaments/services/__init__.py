"""
Everything that changes a tournament: one function a command, one transaction each.

A service is called with an `Actor` first. It locks the tournament, checks the right, lets the engine decide, saves
rows and emits events; see `unit`.
"""

from apps.tournaments.services.unit import Actor, Done

__all__ = ["Actor", "Done"]
