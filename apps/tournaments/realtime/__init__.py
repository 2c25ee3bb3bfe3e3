"""
Rooms: WebSocket connections that see a tournament or a match change. Start with `protocol`.

Nothing here decides anything about a tournament: frames become service calls, committed events become frames.
"""
