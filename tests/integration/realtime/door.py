"""The way into a tournament's room."""

from apps.accounts.tokens import issue_room_token


def path(cup, holder=None) -> str:
    """Return the address of a tournament's room, with a token for whoever `holder` is; None is a guest."""
    return with_token(cup, issue_room_token(cup.stream, holder)[0])


def with_token(cup, token: str) -> str:
    return f"/ws/tournament/{cup.pk}/?token={token}"
