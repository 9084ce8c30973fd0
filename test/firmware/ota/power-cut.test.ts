// The power cut at every operation on flash from the first start to the confirmation, each torn in its own way: the board ends up
// on a good image, without anybody's help.

import test from "ava";
import { loadMemory } from "../../../firmware/ota/memory.js";
import { getCount } from "../../../firmware/store/json-record.js";
import { MINIMUM_SC } from "../../../firmware/store/keys.js";
import { PowerCut } from "../../../tools/simulator/flash.js";
import { digestOf, fileServer, type FileServer } from "../../support/file-server.js";
import { seededRandom } from "../../support/random.js";
import { signTest, testImage } from "../../support/release.js";
import { UpdateBoard, type Run } from "../../support/update-board.js";

const release = signTest(testImage("1.0.1", 9000, 3));
const offer = { v: "1.0.1", m: digestOf(release.file) };
const { seed } = seededRandom(1);

let server: FileServer;
test.before(async () => {
  server = await fileServer();
  server.add(release);
});
test.after.always(() => server.close());

function newBoard(): UpdateBoard {
  const config = (slot: number) => (slot === 1 ? { version: "1.0.1", sc: 3 } : {});
  return new UpdateBoard({ port: server.port, config });
}

function operations({ flash }: UpdateBoard): number {
  return flash.operations.erases + flash.operations.programs;
}

/** From the first start until nothing more happens; the n-th operation on flash is torn. */
async function cutAt(n: number | undefined, bound: boolean): Promise<{ board: UpdateBoard; run: Run }> {
  const board = newBoard();
  board.flash.cutAfter(n, seed + (n ?? 0));
  return { board, run: await board.live(offer, bound) };
}

test.serial("a good image is installed and confirmed, wherever the power was cut", async (t) => {
  const whole = await cutAt(undefined, true);
  const total = operations(whole.board);
  t.log(`${total} operations`);
  t.true(total > 40);
  for (let n = 1; n < total; n += 1) {
    const { run } = await cutAt(n, true);
    const where = `cut at ${n} of ${total}, seed ${seed}`;
    t.is(run.running, 1, where);
    t.is(run.slots.running().state, "valid", where);
    t.is(loadMemory(run.base.store).s, "confirmed", where);
    t.is(getCount(run.base.store, MINIMUM_SC), 3, where);
  }
});

test.serial("an image that never proves itself is left again, wherever the power was cut", async (t) => {
  const total = operations((await cutAt(undefined, false)).board);
  for (let n = 1; n < total; n += 1) {
    const { run } = await cutAt(n, false);
    const where = `cut at ${n} of ${total}, seed ${seed}`;
    t.is(run.running, 0, where);
    t.deepEqual(loadMemory(run.base.store).f, [release.manifest.sha256.slice(0, 16)], where);
  }
});

test.serial("with the power cut again and again, it still ends on a good image", async (t) => {
  const random = seededRandom(2);
  for (let round = 0; round < 30; round += 1) {
    const board = newBoard();
    let run: Run | undefined;
    for (let cut = 0; cut < 4; cut += 1) {
      board.flash.cutAfter(1 + random.below(60), random.seed + round * 4 + cut);
      run = await board.live(offer, true);
    }
    const where = `round ${round}, seed ${random.seed}`;
    t.is(run!.running, 1, where);
    t.is(run!.slots.running().state, "valid", where);
  }
});

/** 1.0.1 is on trial when the power goes. */
async function onTrial(): Promise<UpdateBoard> {
  const board = newBoard();
  await board.update(board.boot("power-on")!, offer);
  board.beginTrial(board.boot("software")!);
  return board;
}

for (const [operation, what] of [
  [1, "erase"],
  [2, "program"],
] as const)
  test.serial(`the bootloader's ${what} of the trial's mark is cut: the trial is begun again`, async (t) => {
    for (let tear = 0; tear < 8; tear += 1) {
      const board = await onTrial();
      board.flash.cutAfter(operation, seed + tear);
      t.throws(() => board.boot("power-on"), { instanceOf: PowerCut });
      board.flash.cutAfter(undefined);
      const run = await board.live(offer, true);
      t.is(run.running, 1, `tear ${tear}, seed ${seed}`);
      t.is(loadMemory(run.base.store).s, "confirmed");
    }
  });

test.serial("an image that crashes before its first line is over too", async (t) => {
  const board = newBoard();
  await board.update(board.boot("power-on")!, offer);
  board.boot("software");
  const run = board.boot("watchdog")!;
  t.is(run.running, 0);
  t.like(run.start, { cause: "rollback", note: "ended by watchdog" });
});

test.serial("a mark that was lost excuses no image that crashed, and not for ever", async (t) => {
  const crashed = await onTrial();
  crashed.eraseMark();
  t.is(crashed.boot("exception")!.start.cause, "rollback");
  const unlucky = await onTrial();
  for (let again = 0; again < 3; again += 1) {
    unlucky.eraseMark();
    t.is(unlucky.boot("power-on"), undefined, "restarts into the trial");
    const trial = unlucky.boot("software")!;
    t.is(trial.running, 1);
    unlucky.beginTrial(trial);
  }
  unlucky.eraseMark();
  const run = unlucky.boot("power-on")!;
  t.is(run.running, 0);
  t.is(run.start.cause, "rollback");
  t.is(loadMemory(run.base.store).s, "failed");
});
