// What an update must refuse or survive (SPEC.md, "Updates"), on the board's flash and slots, with files over real sockets.
//
//   manifest, list, chunk with a bit flipped    here, a seeded sample; every bit of the manifest: protocol/update-manifest.test.ts
//   alg none, HS256, another typ                here, and more headers in protocol/update-manifest.test.ts
//   unknown kid, S + L                          here, and protocol/update-manifest.test.ts
//   older manifest, lower sc, lower version     here, and every check alone in protocol/update-checks.test.ts
//   chunks swapped, list of another release     here
//   size +-1, 200 for 206, 302, file changed    here
//   a lower version by V100                     here: an offer without `down`; host/releases.test.ts: the server makes none
//   captive portal during the trial             here
//   the power cut at every operation            power-cut.test.ts
//   personalised image published                host/releases.test.ts

import test from "ava";
import { createHmac } from "node:crypto";
import { getCount, setCount } from "../../../firmware/store/json-record.js";
import { MINIMUM_SC } from "../../../firmware/store/keys.js";
import type { ImageConfig } from "../../../firmware/store/base.js";
import type { Offer } from "../../../firmware/protocol/sync-message.js";
import { assembleManifest, encodePayload, signingInput } from "../../../firmware/protocol/update-manifest.js";
import { esp32c3 } from "../../../tools/chips/esp32c3.js";
import type { SignedRelease } from "../../../tools/release/publish.js";
import { digestOf, fileServer, type FileServer, type Tamper } from "../../support/file-server.js";
import { FirmwareBoard, network } from "../../support/firmware-board.js";
import { hostileServer } from "../../support/hostile-server.js";
import { seededRandom } from "../../support/random.js";
import { signAgain, signTest, signWithTestKey, testImage, updateKey } from "../../support/release.js";
import { UpdateBoard } from "../../support/update-board.js";

const release = signTest(testImage("1.0.1"));
const other = signTest(testImage("1.0.10")); // as large
const offerOf = ({ file, manifest }: SignedRelease, more: Partial<Offer> = {}): Offer => ({
  v: manifest.version,
  m: digestOf(file),
  ...more,
});
const offer = offerOf(release);
const firstSector = esp32c3.layout.ota_1.offset / 4096;
const random = seededRandom(5);

let server: FileServer;
test.before(async () => {
  server = await fileServer();
  server.add(release);
});
test.after.always(() => server.close());
test.afterEach.always(() => {
  server.tamper = undefined;
  server.requests = [];
});

function newBoard(config: Partial<ImageConfig> = {}): UpdateBoard {
  return new UpdateBoard({ port: server.port, config: () => config });
}

const flip: (kind: string) => Tamper = (wanted) => {
  const at = random.below(1 << 30);
  return (kind, { body }) => {
    if (kind === wanted) body[(at >> 3) % body.length]! ^= 1 << (at & 7);
  };
};
const page = Uint8Array.from(Buffer.from("<html>please log in</html>"));

/** Answers that nobody signed: the device waits, and goes on where it was when they end. */
const falsehoods: [string, Tamper][] = [
  ...["jws", "list", "bin"].flatMap((kind) =>
    Array.from({ length: 8 }, (_, i): [string, Tamper] => [`a flipped bit, ${kind} ${i}`, flip(kind)]),
  ),
  [
    "a captive portal's page for all",
    (_, answer) => Object.assign(answer, { status: 200, headers: {}, body: page }),
  ],
  [
    "200 and the whole file for a chunk",
    (kind, answer) =>
      kind === "bin" && Object.assign(answer, { status: 200, headers: {}, body: release.image }),
  ],
  ["206 and a page of a chunk's length", (kind, { body }) => kind === "bin" && body.fill(0x20)],
  ["a redirect", (_, answer) => Object.assign(answer, { status: 302, headers: { location: "/x" } })],
  ["404", (_, answer) => Object.assign(answer, { status: 404 })],
  [
    "chunks swapped",
    (kind, answer, before) =>
      kind === "bin" && (answer.body = release.image.slice((1 - (before % 2)) * 4096).slice(0, 4096)),
  ],
  ["the list of another release", (kind, answer) => kind === "list" && (answer.body = other.list.slice())],
  ["the manifest of another release", (kind, answer) => kind === "jws" && (answer.body = other.file.slice())],
  [
    "the image of another release, half-way",
    (kind, answer, before) => {
      if (kind !== "bin" || before === 0) return;
      const [, first, last] = /bytes (\d+)-(\d+)/.exec(answer.headers["content-range"]!)!;
      answer.body = other.image.slice(Number(first), Number(last) + 1);
    },
  ],
  ...[-1, 1].map((by): [string, Tamper] => [
    `a file that is longer by ${by}`,
    (kind, { headers }) => {
      if (kind === "bin")
        headers["content-range"] = headers["content-range"]!.replace(/\d+$/, (n) => `${Number(n) + by}`);
    },
  ]),
  ...[-1, 1].flatMap((by) =>
    ["jws", "list", "bin"].map((wanted): [string, Tamper] => [
      `${wanted} longer by ${by}`,
      (kind, answer) => {
        if (kind !== wanted) return;
        const { body } = answer;
        answer.body = by < 0 ? body.slice(0, -1) : Uint8Array.of(...body, 0);
      },
    ]),
  ),
];

for (const [what, tamper] of falsehoods)
  test.serial(`waits, however often, and goes on afterwards: ${what}`, async (t) => {
    const board = newBoard();
    const run = board.boot("power-on")!;
    server.tamper = (...args) => void tamper(...args);
    for (let i = 0; i < 10; i += 1) {
      const outcome = await board.update(run, offer);
      t.truthy((outcome as { waits?: string }).waits, `seed ${random.seed}: ${JSON.stringify(outcome)}`);
      t.is(run.slots.other()!.state, "empty");
    }
    server.tamper = undefined;
    t.is(await board.update(run, offer), "restart");
    t.is(board.boot("software")!.running, 1);
  });

test.serial("a connection that breaks inside list and chunks costs nothing but time", async (t) => {
  const board = newBoard();
  const run = board.boot("power-on")!;
  server.tamper = (kind, answer, before) => {
    if (kind !== "jws" && before < 9) answer.headers["content-length"] = `${answer.body.length + 1}`;
  };
  for (let i = 0; i < 20; i += 1) {
    const outcome = await board.update(run, offer);
    if (outcome === "restart") return t.true(i >= 9);
    t.truthy((outcome as { waits?: string }).waits, JSON.stringify(outcome));
  }
  t.fail("it never came through");
});

const payload = encodePayload(release.manifest);
/** The release's payload under that header, with whatever signature is made for it. */
function underHeader(
  header: string,
  sign: (input: Uint8Array) => Uint8Array = signWithTestKey,
): SignedRelease {
  const input = `${Buffer.from(header).toString("base64url")}.${Buffer.from(payload).toString("base64url")}`;
  const file = `${input}.${Buffer.from(sign(Buffer.from(input))).toString("base64url")}`;
  return { ...release, file: Uint8Array.from(Buffer.from(file)) };
}
const header = '{"alg":"EdDSA","kid":"test","typ":"broome-manifest"}';
const order = (1n << 252n) + 27742317777372353535851937790883648493n;

/** S + L in place of S. */
function malleated(): SignedRelease {
  const signature = signWithTestKey(signingInput("test", payload));
  let s = order;
  for (let i = 0; i < 32; i += 1) s += BigInt(signature[32 + i]!) << BigInt(8 * i);
  for (let i = 0; i < 32; i += 1) signature[32 + i] = Number((s >> BigInt(8 * i)) & 255n);
  return { ...release, file: assembleManifest(payload, { kid: "test", signature }) };
}

interface Refusal {
  release: SignedRelease;
  config?: Partial<ImageConfig>;
  more?: Partial<Offer>;
  minimumSc?: number;
}

/** What a server in wrong hands could offer, sealed: it ends the update, and nothing is erased. */
const refusals: [string, string, Refusal][] = [
  [
    "the right signature over another typ",
    "manifest-malformed",
    {
      release: underHeader(header.replace("broome-manifest", "JWT")),
    },
  ],
  [
    "alg none",
    "manifest-malformed",
    {
      release: underHeader('{"alg":"none","kid":"test","typ":"broome-manifest"}', () => new Uint8Array(0)),
    },
  ],
  [
    "HS256 with the public key",
    "manifest-malformed",
    {
      release: underHeader(header.replace("EdDSA", "HS256"), (input) =>
        createHmac("sha256", Buffer.from(updateKey[1], "base64url")).update(input).digest(),
      ),
    },
  ],
  ["an unknown kid", "key-unknown", { release: signAgain(release, {}, "stranger") }],
  [
    "a signature by nobody",
    "signature-invalid",
    {
      release: underHeader(header, () => new Uint8Array(64).fill(7)),
    },
  ],
  ["S + L", "signature-invalid", { release: malleated() }],
  ["an older manifest, validly signed", "not-newer", { release, config: { version: "1.0.2" } }],
  ["the running version, validly signed", "not-newer", { release, config: { version: "1.0.1" } }],
  ["a lower counter, with the store erased", "security-counter", { release, config: { sc: 1 } }],
  ["a lower counter than the store's", "security-counter", { release, minimumSc: 1 }],
  [
    "a lower counter and version, meant",
    "security-counter",
    {
      ...{ release, config: { sc: 1, version: "1.0.2" }, more: { down: true } },
    },
  ],
  ["another product", "wrong-product", { release: signAgain(release, { product: "other" }) }],
  ["another chip", "wrong-chip", { release: signAgain(release, { chip: "esp32" }) }],
  ["another layout", "wrong-layout", { release: signAgain(release, { layout: "8mb-2slot" }) }],
  [
    "a running version that is too old for it",
    "running-too-old",
    {
      release: signAgain(release, { min: "1.0.1" }),
    },
  ],
  ["more than the slot takes", "too-big", { release: signAgain(release, { size: 0x1e0000 }) }],
  [
    "keys that nobody holds",
    "keys-lost",
    {
      release: signAgain(release, { keys: [["x", "A".repeat(43)]] }),
    },
  ],
  ["an image built without update keys", "updates-off", { release, config: { updateKeys: [] } }],
];

for (const [what, reason, { release: offered, config, more, minimumSc }] of refusals)
  test.serial(`ended before anything is erased, ${reason}: ${what}`, async (t) => {
    server.add(offered);
    const board = newBoard(config);
    const run = board.boot("power-on")!;
    if (minimumSc) setCount(run.base.store, MINIMUM_SC, minimumSc);
    t.deepEqual(await board.update(run, offerOf(offered, more)), { refused: reason });
    t.is(board.flash.eraseCounts[firstSector], 0);
  });

test.serial("a lower version is taken where an admin meant it", async (t) => {
  const board = newBoard({ version: "1.0.2" });
  t.is(await board.update(board.boot("power-on")!, { ...offer, down: true }), "restart");
});

for (const [what, change] of [
  ["another version", { version: "1.0.2" }],
  ["another security counter", { sc: 1 }],
  ["another SHA-256", { sha256: digestOf(Uint8Array.of(1)) }],
] as const)
  test.serial(
    `ended after it was read back, never selected: an image with ${what} than was signed`,
    async (t) => {
      const wrong = signAgain(release, change);
      server.add(wrong);
      const board = newBoard();
      const run = board.boot("power-on")!;
      server.tamper = renamed(wrong);
      t.deepEqual(await board.update(run, offerOf(wrong)), { refused: "image-mismatch" });
      t.is(run.slots.other()!.state, "empty");
      t.is(board.boot("power-on")!.running, 0);
    },
  );

/** The image lies under the name that the manifest gives it. */
function renamed({ manifest, image }: SignedRelease): Tamper {
  let chunk = 0;
  return (kind, answer) => {
    if (kind !== "bin" || answer.status !== 404) return;
    const first = chunk * 4096;
    const body = image.slice(first, first + 4096);
    const range = `bytes ${first}-${first + body.length - 1}/${manifest.size}`;
    Object.assign(answer, { status: 206, headers: { "content-range": range }, body });
    chunk += 1;
  };
}

test.serial("an image that failed is not tried again, unless a person asks", async (t) => {
  const board = newBoard();
  const failed = await board.live(offer, false);
  t.is(failed.running, 0);
  t.is(failed.start.cause, "rollback");
  t.is(failed.slots.other()!.state, "invalid");
  const run = board.boot("power-on")!;
  t.deepEqual(await board.update(run, offer), { refused: "failed-before" });
  t.is(await board.update(board.boot("power-on")!, { ...offer, again: true }), "restart");
});

test.serial("the minimum security counter is raised by a confirmed trial, not before", async (t) => {
  const raised = signTest(testImage("1.0.1", 9000, 3));
  server.add(raised);
  const config = (slot: number) => (slot === 1 ? { version: "1.0.1", sc: 3 } : {});
  const board = new UpdateBoard({ port: server.port, config });
  t.is(await board.update(board.boot("power-on")!, offerOf(raised)), "restart");
  const trial = board.boot("software")!;
  board.beginTrial(trial).onBoundReply();
  t.is(trial.slots.running().state, "pending-verify", "it has to stay up a while as well");
  t.is(getCount(trial.base.store, MINIMUM_SC), 0);
  t.false(board.tryOut(trial, true));
  t.is(trial.slots.running().state, "valid");
  t.is(getCount(trial.base.store, MINIMUM_SC), 3);
});

test.serial("from the first byte on, what is overwritten can no longer boot", async (t) => {
  const next = signTest(testImage("1.0.2"));
  server.add(next);
  const config = (slot: number) => (slot === 1 ? { version: "1.0.1" } : {});
  const board = new UpdateBoard({ port: server.port, config });
  const run = await board.live(offer, true);
  t.is(run.slots.other()!.state, "valid");
  server.tamper = (kind, answer) => {
    if (kind === "list") answer.status = 503;
  };
  t.truthy(((await board.update(run, offerOf(next))) as { waits?: string }).waits);
  t.is(run.slots.other()!.state, "empty");
});

test.serial("a captive portal that answers everything with 200 is no reply: the trial fails", async (t) => {
  const { flash } = await restarting();
  const portal = await hostileServer((socket) =>
    socket.end(`HTTP/1.1 200 OK\r\nContent-Length: ${page.length}\r\n\r\n${Buffer.from(page).toString()}`),
  );
  t.teardown(async () => {
    FirmwareBoard.endAll();
    await portal.close();
  });
  const trial = new FirmwareBoard({
    ...{ flash, cause: "software" },
    config: (slot) => ({ product: "broome-example", version: slot === "ota_0" ? "1.0.0" : "1.0.1" }),
    defaults: {
      ...{ "wifi.ssid": network.ssid, "wifi.password": network.password, "trial.deadlineMs": 20_000 },
      ...{ "server.url": `http://127.0.0.1:${portal.port}/#${"A".repeat(22)}`, "trial.uptimeMs": 0 },
      ...{ "device.id": "mq3gkq7d2xj5r4ta", "device.key": "A".repeat(43) },
    },
  });
  await trial.waitFor(/state=trial[^]*sync: failed[^]*sync: failed/);
  await trial.until("the restart", () => trial.ending);
  const back = trial.reset("software");
  t.regex(back.said, /slot=ota_0 version=1\.0\.0 cause=rollback\n.*no bound reply within 20000 ms/);
  await back.waitFor(/sync: failed[^]*sync: failed/);
  t.is(back.ending, undefined);
});

/** A board that has installed 1.0.1 and is about to start it. */
async function restarting(): Promise<UpdateBoard> {
  const board = newBoard();
  await board.update(board.boot("power-on")!, offer);
  return board;
}

test.serial("what flash holds already is not fetched again after a restart", async (t) => {
  const board = newBoard();
  server.tamper = (kind, answer, before) => {
    if (kind === "bin" && before >= 2) answer.status = 503;
  };
  t.truthy(((await board.update(board.boot("power-on")!, offer)) as { waits?: string }).waits);
  server.tamper = undefined;
  server.requests = [];
  t.is(await board.update(board.boot("power-on")!, offer), "restart");
  const chunks = Math.ceil(release.image.length / 4096);
  t.is(server.requests.filter((path) => path.endsWith(".bin")).length, chunks - 2);
  t.is(server.requests.filter((path) => path.endsWith(".list")).length, 0);
});
