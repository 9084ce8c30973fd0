// That what memory.test.ts measures is true: with a little more than the measured peak the firmware runs, with less it does not.

import test from "ava";
import { askBoard } from "../../tools/simulator/control.js";
import type { Service } from "../../tools/demo/child.js";
import { Rig, type Server } from "./rig.js";

const LIMIT = 32768; // the ESP8266's `static`
const STACK_SHARE = 0.9; // of the stack's slots: the rest is for paths that no test takes
const rig = new Rig();
let server: Server;
let built: string;
let app: string;

test.before(async () => {
  await rig.verb("keys", "init", "--demo");
  server = await rig.serve();
  built = await rig.build("1.0.0");
  app = await rig.patch(built, rig.values(server));
});
test.after.always(() => rig.end());

interface Pool {
  peak: Record<string, number>;
  limit: number;
}

async function memoryOf(board: Service): Promise<{ arena: Pool; stack: Pool }> {
  const { arena, stack } = await askBoard(board.first.control!, { op: "status" });
  return { arena: arena as Pool, stack: stack as Pool };
}

/** From an erased flash to accepted readings, with that much memory. */
async function live(name: string, arena: number | undefined): Promise<Service> {
  const board = await rig.board(name, arena === undefined ? [] : ["--arena", String(arena)]);
  await rig.flash(board, built, app);
  return board;
}

test.serial(
  "boot, join and sync fit the arena; peak + 5 % is enough, peak - 10 % is memory full",
  async (t) => {
    const first = await live("first", undefined);
    const log = await rig.listen(first, true);
    const deviceid = await rig.approve(server, log);
    await rig.readings(server, deviceid, (names) => names.length >= 6);
    const { arena, stack } = await memoryOf(first);
    t.log(JSON.stringify({ arena, stack }));
    const { peak, limit } = arena;
    const scale = limit / LIMIT; // 2 on a 64-bit engine
    const highest = Math.max(...Object.values(peak)) / scale;
    t.deepEqual(Object.keys(peak), ["boot", "join", "sync"]);
    t.true(highest <= LIMIT);
    t.deepEqual(Object.keys(stack.peak), ["boot", "join", "sync"]);
    t.true(Math.max(...Object.values(stack.peak)) <= STACK_SHARE * stack.limit);
    await log.detach();
    await first.end();

    const enough = await live("enough", Math.ceil(highest * 1.05));
    const heard = await rig.listen(enough, true);
    const second = await rig.approve(server, heard);
    await rig.readings(server, second, (names) => names.length >= 6);
    t.notRegex(heard.lines.join("\n"), /Guru/);
    await heard.detach();
    await enough.end();

    const tooLittle = await live("little", Math.floor(highest * 0.9));
    const last = await rig.listen(tooLittle, true);
    await last.waitFor(/panic'ed \(memory full\)/, 60_000);
    await last.detach();
    await tooLittle.end();
  },
);
