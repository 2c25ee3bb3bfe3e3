// Posts each result of a tournament to a chat, from wherever SITE, TOURNAMENT, DCT_TOKEN and CHAT_URL say.
// Node 22, or Node 20 with --experimental-websocket.

import { Room, roomToken } from "../clients/js/deltacrown.js";

const { SITE, TOURNAMENT, DCT_TOKEN, CHAT_URL } = process.env;
const name = `tournament:${TOURNAMENT}`;

function results({ entries, matches }) {
  const of = (id) => entries[id].name;
  return new Map(
    Object.values(matches)
      .filter((m) => ["completed", "forfeit"].includes(m.state) && m.home && m.away)
      .map((m) => [m.id, `${of(m.home)} ${m.home_score}–${m.away_score} ${of(m.away)}`]),
  );
}

let told = null;
let posting = Promise.resolve(); // one after the other, in order
function tell() {
  const now = results(room.state);
  if (told === null) console.log(`Watching ${room.state.tournament.name} as ${room.welcome.username}`);
  for (const [id, text] of told === null ? [] : now) if (told.get(id) !== text) posting = posting.then(() => post(text));
  told = now;
}

async function post(content) {
  await fetch(CHAT_URL, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ content }) });
}

const token = () => roomToken(SITE, name, DCT_TOKEN);
const room = new Room(SITE, name, { token, on: { event: tell, snapshot: tell } });
room.start();
