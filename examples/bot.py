"""Posts each result of a tournament to a chat, from wherever SITE, TOURNAMENT, DCT_TOKEN and CHAT_URL say."""

import asyncio
import json
import os
import urllib.request

from deltacrown_client import Room, State, room_token

SITE, ROOM = os.environ["SITE"], f"tournament:{os.environ['TOURNAMENT']}"


def results(state: State) -> dict[str, str]:
    names = {entry["id"]: entry["name"] for entry in state["entries"].values()}
    return {
        key: f"{names[match['home']]} {match['home_score']}–{match['away_score']} {names[match['away']]}"
        for key, match in state["matches"].items()
        if match["state"] in ("completed", "forfeit") and match["home"] and match["away"]
    }


def post(text: str) -> None:
    body, headers = json.dumps({"content": text}).encode(), {"Content-Type": "application/json"}
    urllib.request.urlopen(urllib.request.Request(os.environ["CHAT_URL"], body, headers), timeout=10).close()


async def main() -> None:
    async with Room(SITE, ROOM, token=lambda: room_token(SITE, ROOM, os.environ["DCT_TOKEN"])) as room:
        told = results(room.state)
        print(f"Watching {room.state['tournament']['name']} as {room.welcome['username']}", flush=True)
        async for _ in room:  # an event, or after a long absence a new state: what is new is found the same way
            now = results(room.state)
            for text in (text for key, text in now.items() if told.get(key) != text):
                await asyncio.to_thread(post, text)
            told = now


asyncio.run(main())
