"""Watch and act in a DeltaCrown tournament. clients/README.md has the rules, docs/protocol.md the wire."""

from deltacrown_client.errors import Refused, RoomError, Stopped, TokenRefused
from deltacrown_client.follower import Follower, Frame, Position, Reaction, Status
from deltacrown_client.room import Room
from deltacrown_client.state import State, apply, empty, fold
from deltacrown_client.tokens import room_token

__all__ = [
    "Follower",
    "Frame",
    "Position",
    "Reaction",
    "Refused",
    "Room",
    "RoomError",
    "State",
    "Status",
    "Stopped",
    "TokenRefused",
    "apply",
    "empty",
    "fold",
    "room_token",
]
