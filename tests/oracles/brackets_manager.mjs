// Play stages in brackets-manager and tell what stood in every match, from the first pairs to the last result.
// Standard input: a list of cases (see test_brackets_manager.py). Standard output: a list of what happened.

import { BracketsManager } from "brackets-manager";
import { InMemoryDatabase } from "brackets-memory-db";
import { text } from "node:stream/consumers";

const READY = 2;
const BRACKETS = {
  single_elimination: ["main", "third_place"],
  double_elimination: ["main", "lower", "grand_final"],
};

async function play({ type, entrants, places, settings, strength, final_winners, turns }) {
  const database = new InMemoryDatabase();
  const manager = new BracketsManager(database);
  const seeding = Array.from({ length: places }, (_, i) => (i < entrants ? String(i + 1) : null));
  const stage = await manager.create.stage({ tournamentId: 0, name: "stage", type, seeding, settings });

  const byId = (rows, value) => new Map(rows.map((row) => [row.id, value(row)]));
  const seed = byId(await database.select("participant"), (row) => Number(row.name));
  const bracket = byId(await database.select("group"), (row) => BRACKETS[type][row.number - 1]);
  const round = byId(await database.select("round"), (row) => row.number);

  const key = (match) => [bracket.get(match.group_id), round.get(match.round_id), match.number];
  const side = (opponent) => (opponent === null ? "bye" : seed.get(opponent.id) ?? null);
  const shown = (match) => [...key(match), side(match.opponent1), side(match.opponent2)];

  const known = new Map();
  const news = (matches) =>
    matches.map(shown).filter((row) => {
      const [name, value] = [row.slice(0, 3).join(), row.join()];
      const isNew = known.get(name) !== value;
      known.set(name, value);
      return isNew;
    });

  // It fills the reset whatever the result of the grand final, and leaves it to its caller not to play it.
  const isNeeded = ([name, number]) => name !== "grand_final" || number === 1 || final_winners[0] === "away";

  let matches = await database.select("match");
  const start = news(matches);
  const updates = [];
  for (const turn of turns) {
    const ready = matches.filter((match) => match.status === READY && isNeeded(key(match)));
    if (!ready.length) break;
    const match = ready[turn % ready.length];
    const [home, away] = [side(match.opponent1), side(match.opponent2)];
    const [name, number] = key(match);
    const homeWins =
      name === "grand_final" ? final_winners[number - 1] === "home" : strength[name][home - 1] > strength[name][away - 1];
    const [win, loss] = [{ result: "win" }, { result: "loss" }];
    await manager.update.match({
      id: match.id,
      opponent1: homeWins ? win : loss,
      opponent2: homeWins ? loss : win,
    });
    matches = await database.select("match");
    updates.push({ match: key(match), winner: homeWins ? home : away, news: news(matches) });
  }
  const standing = (await manager.get.finalStandings(stage.id)).map(({ id, rank }) => [seed.get(id), rank]);
  return { start, updates, standing };
}

const answers = [];
for (const question of JSON.parse(await text(process.stdin))) answers.push(await play(question));
process.stdout.write(JSON.stringify(answers));
