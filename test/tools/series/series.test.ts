// A series: the list, the log, the label, and the order of things, with boards that come and go.

import test, { type ExecutionContext } from "ava";
import { spawnSync } from "node:child_process";
import { appendFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import decodeQR from "qr/decode.js";
import { parseDevices } from "../../../tools/series/devices-csv.js";
import { labelSvg } from "../../../tools/series/label.js";
import { lockLog, ResultsLog } from "../../../tools/series/results-log.js";
import { Plugged } from "../../../tools/series/plugged.js";
import { runSeries, type SeriesOptions } from "../../../tools/series/series.js";
import { seeded } from "../../../tools/simulator/seeded.js";
import { code } from "../../contract/serial-port.js";

function logPath(t: ExecutionContext): string {
  const folder = mkdtempSync(join(tmpdir(), "broome-series-"));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  return join(folder, "results.csv");
}

const ok = (name: string, mac: string) => ({ mac, result: "ok", at: "2026-01-02T03:04:05.000Z", name });
const error = (code: string) => Object.assign(new Error(code), { code });

test("columns are the short names or keys of the defaults; quotes, commas and line ends in cells survive", (t) => {
  const text =
    '\ufeffname,ssid,password,key,x.room\r\n"Tide, left",home,"pa""ss\r\nword",,Kitchen\r\n\r\nB,,,,\r\n';
  t.deepEqual(parseDevices(text), [
    {
      name: "Tide, left",
      values: {
        ...{ "device.name": "Tide, left", "wifi.ssid": "home", "wifi.password": 'pa"ss\r\nword' },
        "x.room": "Kitchen",
      },
    },
    { name: "B", values: { "device.name": "B" } },
  ]);
});

for (const [name, text, why] of [
  ["nothing", "", /no rows/],
  ["only a header", "name,ssid\n", /no rows/],
  ["no names", "ssid\nhome\n", /no column "name"/],
  ["a row without a name", "name,ssid\n,home\n", /line 2: no name/],
  ["the same name twice", "name\nA\nA\n", /line 3: a second "A"/],
  ["semicolons", "name;ssid;password\nA;home;hush-hush\n", /separated by semicolons/],
  ["tabs", "name\tpassword\nA\thush-hush\n", /separated by tabs/],
  ["two columns for one key", "name,device.name\nA,B\n", /mean the same/],
  ["a cell too many", "name,password\nA,hush-hush,more\n", /line 2 is no CSV/],
  ["a value that is too long", `name,password\nA,${"hush".repeat(20)}\n`, /line 2: wifi.password takes 80/],
] as const) {
  test(`a list with ${name} is refused, and no secret is quoted`, (t) => {
    const thrown = t.throws(() => parseDevices(text));
    t.is(code(thrown), "series-invalid");
    t.regex(thrown!.message, why);
    t.notRegex(thrown!.message, /hush/);
  });
}

test("a column that is no default is named", (t) => {
  t.is(code(t.throws(() => parseDevices("name,pasword\nA,b\n"))), "unknown-key");
});

test("random text is a list or is refused with a code", (t) => {
  const seed = Date.now() % 1_000_000;
  const chance = seeded(seed);
  const pieces = ["name", "ssid", ",", '"', "\n", "\r", "A", "b", " ", "\0", "é", "\ufffd", "=1"];
  for (let i = 0; i < 20_000; i += 1) {
    const text = Array.from({ length: 20 }, () => pieces[Math.floor(chance() * pieces.length)]).join("");
    try {
      for (const { name } of parseDevices(text)) t.true(name.length > 0);
    } catch (thrown) {
      if (code(thrown) === undefined) t.fail(`seed ${seed}: ${thrown}`);
    }
  }
  t.pass();
});

test("the log is readable CSV, tells what is done, and survives a line that was cut off", (t) => {
  const path = logPath(t);
  const log = new ResultsLog(path);
  log.append(ok("Tide, left", "02:00:00:00:00:01"));
  log.append({ ...ok("B", "02:00:00:00:00:02"), result: "verify-failed" });
  appendFileSync(path, '02:00:00:00:00:03,ok,2026-01-02T03:04:05.000Z,"B');
  const again = new ResultsLog(path);
  t.is(again.macOf("Tide, left"), "02:00:00:00:00:01");
  t.is(again.macOf("B"), undefined, "failed, and cut off");
  t.true(again.hasBoard("02:00:00:00:00:01"));
  t.false(again.hasBoard("02:00:00:00:00:02"));
  again.append(ok("B", "02:00:00:00:00:02"));
  t.is(
    readFileSync(path, "utf8"),
    [
      "mac,result,at,name",
      '02:00:00:00:00:01,ok,2026-01-02T03:04:05.000Z,"Tide, left"',
      "02:00:00:00:00:02,verify-failed,2026-01-02T03:04:05.000Z,B",
      "02:00:00:00:00:02,ok,2026-01-02T03:04:05.000Z,B",
      "",
    ].join("\n"),
  );
});

for (const text of ["name,password\nA,hush\n", "name,password\nA,hush", "name,password", "\0\xff", 'mac,"\n'])
  test(`a file that is no log is left as it is: ${JSON.stringify(text)}`, (t) => {
    const path = logPath(t);
    writeFileSync(path, text);
    const thrown = t.throws(() => new ResultsLog(path));
    t.is(code(thrown), "series-invalid");
    t.notRegex(thrown!.message, /hush/);
    t.is(readFileSync(path, "utf8"), text);
  });

test("a log that was cut off in its first line begins again", (t) => {
  const path = logPath(t);
  for (const text of ["", "mac,res", "mac,result,at,name"]) {
    writeFileSync(path, text);
    new ResultsLog(path).append(ok("A", "02:00:00:00:00:01"));
    t.is(new ResultsLog(path).macOf("A"), "02:00:00:00:00:01", text);
  }
});

test("a log that a spreadsheet has saved is read", (t) => {
  const path = logPath(t);
  writeFileSync(path, '\ufeffmac,result,at,name\r\n02:00:00:00:00:01,ok,now,"Tide, left"\r\n');
  t.is(new ResultsLog(path).macOf("Tide, left"), "02:00:00:00:00:01");
});

test("a log that cannot be written is known before the first board", (t) => {
  const path = logPath(t);
  t.is(code(t.throws(() => new ResultsLog(dirname(path)))), "file-unwritable");
  t.is(code(t.throws(() => new ResultsLog(join(dirname(path), "none", "results.csv")))), "file-unwritable");
});

test("a log belongs to one series at a time; that of a series that was killed is free", (t) => {
  const path = logPath(t);
  const unlock = lockLog(path);
  const refused = t.throws(() => lockLog(path));
  t.is(code(refused), "series-busy");
  t.regex(refused!.message, new RegExp(`process ${process.pid}\\b`));
  unlock();
  const { pid } = spawnSync(process.execPath, ["-e", "0"]);
  writeFileSync(`${path}.lock`, `${pid} -\n`);
  lockLog(path)();
  t.false(existsSync(`${path}.lock`));
  t.is(code(t.throws(() => lockLog(join(dirname(path), "none", "results.csv")))), "file-unwritable");
});

test("a label says in letters and in a QR code which board it is", (t) => {
  const text = { name: 'Tide <left> & "right"', mac: "02:00:00:00:00:01", chip: "esp32c3" };
  const svg = labelSvg(text);
  t.true(svg.includes("Tide &lt;left&gt; &amp; &quot;right&quot;"));
  t.deepEqual(JSON.parse(decodeQR(rasterOf(svg))), text);
});

/** Draws the modules of a label: a path of squares. */
function rasterOf(svg: string) {
  const side = Number(/viewBox="0 0 (\d+) /.exec(svg)![1]);
  const data = new Uint8Array(side * side * 4).fill(0xff);
  for (const [, x, y, size] of svg.matchAll(/M(\d+) (\d+)h(\d+)/g)) {
    for (let dy = 0; dy < Number(size); dy += 1)
      for (let dx = 0; dx < Number(size); dx += 1)
        data.fill(
          0,
          ((Number(y) + dy) * side + Number(x) + dx) * 4,
          ((Number(y) + dy) * side + Number(x) + dx) * 4 + 3,
        );
  }
  return { width: side, height: side, data };
}

/** Boards as they are plugged in, one a try: a MAC, or what trying fails with. */
function series(
  t: ExecutionContext,
  boards: (string | { mac?: string; fails: string })[],
  log: ResultsLog,
  onFlashed: NonNullable<SeriesOptions["onFlashed"]> = () => undefined,
) {
  const said: string[] = [];
  const flashed: string[] = [];
  const options: SeriesOptions = {
    devices: ["A", "B"].map((name) => ({ name, values: {} })),
    log,
    onFlashed,
    say: (text) => said.push(text),
    pause: async () => undefined,
    now: () => new Date("2026-01-02T03:04:05Z"),
    async flash({ name }, onBoard) {
      const board = boards.shift();
      if (board === undefined) throw Object.assign(new Error("stopped"), { name: "AbortError" });
      if (typeof board === "string") onBoard(board);
      else {
        if (board.mac !== undefined) onBoard(board.mac);
        throw error(board.fails);
      }
      flashed.push(`${name}=${board}`);
    },
  };
  return { run: () => runSeries(options), said, flashed };
}

test("each row gets a board; one that has its row is passed over, one that is not there is waited for", async (t) => {
  const log = new ResultsLog(logPath(t));
  const { run, flashed } = series(
    t,
    [{ fails: "no-answer" }, "m1", "m1", { fails: "port-not-found" }, "m2"],
    log,
  );
  t.deepEqual(await run(), { done: ["A", "B"], skipped: [], failed: [] });
  t.deepEqual(flashed, ["A=m1", "B=m2"]);
});

test("a board that fails is logged and tried again; after three times the row is given up", async (t) => {
  const path = logPath(t);
  const bad = { mac: "m1", fails: "verify-failed" };
  const { run } = series(t, [bad, bad, bad, "m2"], new ResultsLog(path));
  t.deepEqual(await run(), { done: ["B"], skipped: [], failed: ["A"] });
  t.is(readFileSync(path, "utf8").match(/m1,verify-failed/g)!.length, 3);
});

test("a label that cannot be written leaves its row to be done again", async (t) => {
  const path = logPath(t);
  const full = error("file-unwritable");
  const first = series(t, ["m1"], new ResultsLog(path), () => {
    throw full;
  });
  t.is(await t.throwsAsync(first.run()), full);
  const labelled: string[] = [];
  const second = series(t, ["m1", "m2"], new ResultsLog(path), (_, mac) => labelled.push(mac));
  t.deepEqual(await second.run(), { done: ["A", "B"], skipped: [], failed: [] });
  t.deepEqual(labelled, ["m1", "m2"]);
});

test("interrupted, the next run goes on with the first row that is not finished", async (t) => {
  const path = logPath(t);
  const first = series(t, ["m1"], new ResultsLog(path));
  await t.throwsAsync(first.run(), { name: "AbortError" });
  const second = series(t, ["m1", "m2"], new ResultsLog(path));
  t.deepEqual(await second.run(), { done: ["B"], skipped: ["A"], failed: [] });
  t.deepEqual(second.flashed, ["B=m2"]);
});

/** A port that is there for so many looks; Enter is pressed before the looks named. */
async function waited(t: ExecutionContext, looks: number, enterBefore: number[] = []) {
  const said: string[] = [];
  let look = 0;
  const plugged = new Plugged({
    present: async () => ++look <= looks,
    pause: async () => {
      if (look > 50) throw error("ABORT_ERR");
    },
    insists: () => enterBefore.includes(look),
    say: (text) => said.push(text),
  });
  await plugged.untilAnother(); // nothing is done yet
  t.is(look, 0);
  plugged.finished("/dev/ttyUSB0");
  await plugged.untilAnother();
  const first = look;
  await plugged.untilAnother();
  t.is(look, first, "it has been away");
  return { look, said };
}

test("a port whose board is done is left alone until it has been away", async (t) => {
  const { look, said } = await waited(t, 4);
  t.is(look, 5);
  t.deepEqual(said, ["/dev/ttyUSB0 is looked at again when it has been unplugged, or on Enter"]);
});

test("a port that cannot go away is not waited for, and Enter ends the wait", async (t) => {
  const network = await waited(t, 0);
  t.deepEqual([network.look, network.said], [1, []]);
  t.is((await waited(t, 40, [0, 3])).look, 3, "what was pressed before counts for nothing");
});
