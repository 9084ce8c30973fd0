import test from "ava";
import type { ExecutionContext } from "ava";
import { createServer } from "node:net";
import type { Socket } from "node:net";
import { HttpClient } from "../../../firmware/link/http.js";
import type { HttpRequest } from "../../../firmware/link/http.js";
import { ResponseParser } from "../../../firmware/link/http-response.js";
import { hostileServer } from "../../support/hostile-server.js";
import { resolve, tcp, timer } from "../../support/node-device.js";
import { seededRandom } from "../../support/random.js";

const get: HttpRequest = { method: "GET", path: "/", timeoutMs: 5000, maxBody: 2048 };
const bytes = (text: string) => Uint8Array.from(Buffer.from(text, "latin1"));
const text = (value: Uint8Array) => Buffer.from(value).toString("latin1");
const wait = (ms: number) => new Promise((done) => setTimeout(done, ms));

type Answer = (socket: Socket, request: string, index: number) => void;

/** One server with that answer, one client to it; both are closed at the end of the test. */
async function pair(t: ExecutionContext, answer: string | Answer, host = "127.0.0.1") {
  const server = await hostileServer(
    typeof answer === "string" ? (socket) => socket.write(answer, "latin1") : answer,
  );
  const client = new HttpClient({ tcp, resolve, timer, host, port: server.port });
  t.teardown(async () => {
    client.close();
    await server.close();
  });
  return { server, client };
}

const ok = (body: string, headers = "") =>
  `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n${headers}\r\n${body}`;

test("a GET arrives and its answer comes back", async (t) => {
  const { server, client } = await pair(t, ok("hello"));
  const response = await client.request({ ...get, path: "/fw/x.list" });
  t.is(response.status, 200);
  t.is(text(response.body), "hello");
  const host = `127.0.0.1:${server.port}`;
  t.is(server.received[0], `GET /fw/x.list HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
  t.false(client.busy);
});

test("a POST of more than the socket takes at once arrives whole", async (t) => {
  const body = seededRandom(8).bytes(4000);
  const { server, client } = await pair(t, ok(""));
  await client.request({ ...get, method: "POST", path: "/p", contentType: "application/jose", body });
  const [head, rest] = server.received[0]!.split("\r\n\r\n", 2) as [string, string];
  t.true(head.includes("Content-Type: application/jose\r\nContent-Length: 4000"));
  t.is(rest, text(body));
});

test("names are resolved; one that does not resolve is unreachable", async (t) => {
  const { client } = await pair(t, ok("x"), "localhost");
  t.is((await client.request(get)).status, 200);
  const nowhere = new HttpClient({
    tcp,
    resolve: (_, done) => done(undefined),
    timer,
    host: "nowhere",
    port: 1,
  });
  await t.throwsAsync(nowhere.request(get), { code: "unreachable" });
});

test("nobody listening is unreachable", async (t) => {
  const { server, client } = await pair(t, "");
  await server.close();
  await t.throwsAsync(client.request(get), { code: "unreachable" });
});

// --- Forms of the same answer.

const spellings: [string, string][] = [
  ["with a content-length", ok("hello world")],
  ["with header names in any case", ok("hello world").replace("Content-Length", "cOnTeNt-lEnGtH")],
  ["with bare line feeds", ok("hello world").replaceAll("\r\n", "\n")],
  ["without a reason", ok("hello world").replace("200 OK", "200")],
  ["chunked", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n"],
  [
    "chunked with extensions, capitals and trailers",
    "HTTP/1.1 200 OK\r\ntransfer-encoding: Chunked\r\n\r\n00B ;x=y\r\nhello world\r\n0;last\r\nX: y\r\nZ: w\r\n\r\n",
  ],
  [
    "after 100 Continue and 103",
    `HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n${ok("hello world")}`,
  ],
  ["with a header line of 4,000 bytes", ok("hello world", `X-Policy: ${"a".repeat(4000)}\r\n`)],
  ["with the same content-length twice", ok("hello world", "Content-Length: 11\r\n")],
  ["with bytes beyond ASCII in a header", ok("hello world", "X-Name: caf\u00e9\r\n")],
];

for (const [what, answer] of spellings) {
  test(`understood: ${what}`, async (t) => {
    const { client } = await pair(t, answer);
    t.is(text((await client.request(get)).body), "hello world");
  });
  test(`understood a byte at a time: ${what}`, (t) => {
    t.deepEqual(parse(answer, 1), { status: 200, body: "hello world", rest: 0 });
  });
}

/** Feeds a parser `step` bytes at a time. */
function parse(answer: string, step: number): { status: number; body: string; rest: number } {
  let body = "";
  const parser = new ResponseParser();
  const all = bytes(answer);
  let at = 0;
  while (at < all.length && !parser.done) {
    const from = at;
    at = parser.take(all.subarray(0, Math.min(all.length, at + step)), at);
    if (parser.tell() === "body") body += text(all.subarray(from, at));
  }
  if (!parser.done) parser.end();
  return { status: parser.head.status, body, rest: all.length - at };
}

test("a byte at a time over a real socket", async (t) => {
  const { client } = await pair(t, (socket) => {
    void (async () => {
      for (const byte of Buffer.from(ok("hello"))) {
        socket.write(Buffer.of(byte));
        await wait(1);
      }
    })();
  });
  t.is(text((await client.request(get)).body), "hello");
});

test("until the connection closes", async (t) => {
  const { client } = await pair(t, (socket) => void socket.end("HTTP/1.0 200 OK\r\n\r\nhello"));
  t.is(text((await client.request(get)).body), "hello");
});

test("a 204 has no body, whatever it says", async (t) => {
  const { client } = await pair(t, "HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n");
  t.is((await client.request(get)).status, 204);
});

for (const status of [301, 302, 307, 401, 404, 429, 500, 503])
  test(`${status} is an answer: returned, not followed, its body not read`, async (t) => {
    const long = "x".repeat(100_000);
    const { server, client } = await pair(
      t,
      `HTTP/1.1 ${status} X\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 100000\r\n\r\n${long}`,
    );
    const response = await client.request(get);
    t.is(response.status, status);
    t.is(response.body.length, 0);
    t.is(server.connections(), 1);
  });

// --- What no client should believe.

for (const [what, answer] of [
  ["garbage", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\n\n\n"],
  ["an SSH banner", "SSH-2.0-OpenSSH_9.2\r\n"],
  ["HTTP/2", "HTTP/2 200\r\n\r\n"],
  ["HTTP/1.2", "HTTP/1.2 200 OK\r\n\r\n"],
  ["HTTP/0.9", "hello\n"],
  ["a status of two digits", "HTTP/1.1 20 OK\r\n\r\n"],
  ["a status of four digits", "HTTP/1.1 2000 OK\r\n\r\n"],
  ["status 600", "HTTP/1.1 600 X\r\n\r\n"],
  ["status 099", "HTTP/1.1 099 X\r\n\r\n"],
  ["status +20", "HTTP/1.1 +20 X\r\n\r\n"],
  ["101 Switching Protocols", "HTTP/1.1 101 X\r\n\r\n"],
  ["interim answers without an end", "HTTP/1.1 100 Continue\r\n\r\n".repeat(100)],
  ["two content-lengths", ok("hello", "Content-Length: 6\r\n")],
  ["a negative content-length", "HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n"],
  ["content-length +5", "HTTP/1.1 200 OK\r\nContent-Length: +5\r\n\r\n"],
  ["content-length 5, 5", "HTTP/1.1 200 OK\r\nContent-Length: 5, 5\r\n\r\n"],
  ["content-length 0x5", "HTTP/1.1 200 OK\r\nContent-Length: 0x5\r\n\r\n"],
  ["an empty content-length", "HTTP/1.1 200 OK\r\nContent-Length:\r\n\r\n"],
  ["a content-length of 11 digits", "HTTP/1.1 200 OK\r\nContent-Length: 00000000005\r\n\r\n"],
  [
    "a content-length beyond what is kept of a line",
    `HTTP/1.1 200 OK\r\nContent-Length: ${" ".repeat(200)}5\r\n\r\n`,
  ],
  ["both a length and chunks", ok("hello", "Transfer-Encoding: chunked\r\n")],
  ["another transfer encoding", "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n"],
  ["chunked twice", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n"],
  ["a folded header", "HTTP/1.1 200 OK\r\nX: a\r\n b\r\n\r\n"],
  ["a null in the head", "HTTP/1.1 200 OK\r\nX: \0\r\n\r\n"],
  ["a head without an end", `HTTP/1.1 200 OK\r\n${"X: y\r\n".repeat(2000)}`],
  ["a header line without an end", `HTTP/1.1 200 OK\r\nX: ${"y".repeat(9000)}`],
  ["a chunk without a size", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\r\n"],
  ["a chunk size that is no number", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n"],
  ["a chunk size of 8 digits", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n80000000\r\n"],
  ["a negative chunk size", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n"],
  [
    "a chunk longer than it says",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhello\r\n0\r\n\r\n",
  ],
  [
    "endless trailers",
    `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n${"X: y\r\n".repeat(2000)}`,
  ],
] as [string, string][])
  test(`refused as malformed: ${what}`, async (t) => {
    const { client } = await pair(t, answer);
    await t.throwsAsync(client.request(get), { code: "malformed" });
    t.false(client.busy);
  });

for (const [what, answer] of [
  ["a content-length above the bound", `HTTP/1.1 200 OK\r\nContent-Length: 2049\r\n\r\n`],
  ["a content-length of 4 GB", `HTTP/1.1 200 OK\r\nContent-Length: 4294967296\r\n\r\n`],
  [
    "chunks above the bound",
    `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${"100\r\n" + "x".repeat(256) + "\r\n"}`.padEnd(
      60,
    ) + `${"100\r\n" + "x".repeat(256) + "\r\n"}`.repeat(9),
  ],
  ["a body without an end", `HTTP/1.1 200 OK\r\n\r\n${"x".repeat(5000)}`],
] as [string, string][])
  test(`refused as too large: ${what}`, async (t) => {
    const { client } = await pair(t, answer);
    await t.throwsAsync(client.request(get), { code: "too-large" });
  });

test("exactly the largest body is taken, in every form", async (t) => {
  const body = "x".repeat(2048);
  for (const answer of [
    ok(body),
    `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n800\r\n${body}\r\n0\r\n\r\n`,
  ]) {
    const { client } = await pair(t, answer);
    t.is((await client.request(get)).body.length, 2048);
  }
});

for (const [what, part] of [
  ["before the first byte", ""],
  ["inside the status line", "HTTP/1.1 2"],
  ["inside the headers", "HTTP/1.1 200 OK\r\nContent-Le"],
  ["inside the body", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel"],
  ["inside a chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhe"],
  ["before the last chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"],
] as [string, string][])
  test(`a connection that ends ${what} is an error`, async (t) => {
    const { client } = await pair(t, (socket) => void socket.end(part));
    await t.throwsAsync(client.request(get), { code: part === "" ? "unreachable" : "closed" });
  });

test("a reset inside the answer is an error", async (t) => {
  const { client } = await pair(t, (socket) =>
    socket.write("HTTP/1.1 200 OK\r\n", () => setTimeout(() => socket.resetAndDestroy(), 20)),
  );
  await t.throwsAsync(client.request(get), { code: "closed" });
});

test("a slow loris is cut off by the clock: a byte now and then does not lengthen it", async (t) => {
  const { client } = await pair(t, (socket) => {
    const dripping = setInterval(() => socket.write("x"), 20);
    socket.write("HTTP/1.1 200 OK\r\nX: ");
    socket.on("close", () => clearInterval(dripping));
  });
  const started = Date.now();
  await t.throwsAsync(client.request({ ...get, timeoutMs: 200 }), { code: "timeout" });
  t.true(Date.now() - started < 20_000); // it drips for ever
});

test("silence is a timeout, and the next request works", async (t) => {
  const { client } = await pair(t, (socket, request) => {
    if (request.includes("/again")) socket.write(ok("x"));
  });
  await t.throwsAsync(client.request({ ...get, timeoutMs: 100 }), { code: "timeout" });
  t.is((await client.request({ ...get, path: "/again" })).status, 200);
});

test("abort ends the request under way; abort without one does nothing; close may be called twice", async (t) => {
  const { client } = await pair(t, () => {});
  const held = client.request(get);
  t.true(client.busy);
  await t.throwsAsync(client.request(get), { message: /under way/ });
  setTimeout(() => client.abort(), 30);
  await t.throwsAsync(held, { code: "aborted" });
  client.abort();
  client.close();
  client.close();
});

test("an abort while the name is being resolved opens nothing", async (t) => {
  let found: (address: string) => void = () => {};
  let opened = 0;
  const client = new HttpClient({
    tcp: (options) => ((opened += 1), tcp(options)),
    resolve: (_, done) => (found = done),
    timer,
    host: "slow.example",
    port: 1,
  });
  const request = client.request(get);
  client.abort();
  await t.throwsAsync(request, { code: "aborted" });
  found("127.0.0.1");
  t.is(opened, 0);
});

// --- Keeping the connection.

const keep: HttpRequest = { ...get, keepAlive: true };

test("200 requests on one connection", async (t) => {
  const { server, client } = await pair(t, (socket, _, index) => void socket.write(ok(String(index))));
  for (let i = 0; i < 200; i++) t.is(text((await client.request(keep)).body), String(i));
  t.is(server.connections(), 1);
});

test("without keepAlive, or when the server closes, each request has its own connection", async (t) => {
  const { server, client } = await pair(t, ok("x"));
  await client.request(get);
  await client.request(get);
  t.is(server.connections(), 2);
  const closing = await pair(t, ok("x", "Connection: Close\r\n"));
  await closing.client.request(keep);
  await closing.client.request(keep);
  t.is(closing.server.connections(), 2);
  const old = await pair(t, ok("x").replace("HTTP/1.1", "HTTP/1.0"));
  await old.client.request(keep);
  await old.client.request(keep);
  t.is(old.server.connections(), 2);
});

test("a kept connection that the server closed is opened anew, once", async (t) => {
  const { server, client } = await pair(t, (socket, _, index) => {
    if (index === 0) socket.write(ok("x"), () => setTimeout(() => socket.end(), 20));
  });
  await client.request(keep);
  await wait(60);
  t.is(text((await client.request(keep)).body), "x");
  t.is(server.connections(), 2);
});

test("a kept connection that dies just as the request is sent: once more on a new one, then an error", async (t) => {
  let answers = 0;
  const { server, client } = await pair(t, (socket) => {
    answers += 1;
    if (answers === 1 || answers === 3) socket.write(ok("x"));
    else socket.destroy();
  });
  await client.request(keep);
  t.is((await client.request(keep)).status, 200); // 2 dies, 3 answers
  await t.throwsAsync(client.request(keep), { code: "unreachable" }); // 4 dies, 5 dies
  t.is(answers, 5);
  t.is(server.connections(), 3);
});

test("stray bytes after an answer are never taken for the next one", async (t) => {
  for (const delay of [0, 20]) {
    const { server, client } = await pair(t, (socket, _, index) => {
      const stray = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil";
      if (index > 0) return;
      if (delay === 0) socket.write(ok("good") + stray);
      else socket.write(ok("good"), () => setTimeout(() => socket.write(stray), delay));
    });
    t.is(text((await client.request(keep)).body), "good");
    await wait(60);
    t.is(text((await client.request(keep)).body), "good");
    t.is(server.connections(), 2);
  }
});

test("an answer that comes before the request was sent whole is taken, and the connection not kept", async (t) => {
  const server = createServer((socket) => {
    socket.on("error", () => {});
    socket.once("data", () => socket.write("HTTP/1.1 413 X\r\nContent-Length: 0\r\n\r\n"));
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const { port } = server.address() as { port: number };
  let closed = 0;
  const counting: typeof tcp = (options) => {
    const socket = tcp(options);
    return { ...socket, close: () => ((closed += 1), socket.close()) };
  };
  const client = new HttpClient({ tcp: counting, resolve, timer, host: "127.0.0.1", port });
  t.teardown(() => {
    client.close();
    server.close();
  });
  const response = await client.request({ ...keep, method: "POST", body: new Uint8Array(4000) });
  t.is(response.status, 413);
  t.is(closed, 1);
});

// --- Ranges and streams.

const range = { first: 4096, length: 4, total: 10_000 };
const partial = (contentRange: string, body = "abcd", status = "206 Partial Content") =>
  `HTTP/1.1 ${status}\r\nContent-Range: ${contentRange}\r\nContent-Length: ${body.length}\r\n\r\n${body}`;

test("a range is asked for exactly, and taken", async (t) => {
  const { server, client } = await pair(t, partial("bytes 4096-4099/10000"));
  const response = await client.request({ ...get, range });
  t.is(response.status, 206);
  t.is(text(response.body), "abcd");
  t.true(server.received[0]!.includes("\r\nRange: bytes=4096-4099\r\n"));
});

for (const [what, answer] of [
  ["another place", partial("bytes 0-3/10000")],
  ["fewer bytes", partial("bytes 4096-4098/10000", "abc")],
  ["more bytes", partial("bytes 4096-4100/10000", "abcde")],
  ["another size of the file", partial("bytes 4096-4099/10001")],
  ["an unknown size of the file", partial("bytes 4096-4099/*")],
  ["another unit", partial("items 4096-4099/10000")],
  ["no content-range", "HTTP/1.1 206 X\r\nContent-Length: 4\r\n\r\nabcd"],
  ["another length than it says", partial("bytes 4096-4099/10000", "abcdef")],
  [
    "fewer bytes in chunks",
    "HTTP/1.1 206 X\r\nContent-Range: bytes 4096-4099/10000\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n",
  ],
  [
    "several ranges",
    "HTTP/1.1 206 X\r\nContent-Type: multipart/byteranges; boundary=x\r\nContent-Length: 4\r\n\r\n--x\n",
  ],
] as [string, string][])
  test(`wrong-range: a 206 with ${what}`, async (t) => {
    const { client } = await pair(t, answer);
    await t.throwsAsync(client.request({ ...get, range }), { code: "wrong-range" });
  });

test("a 200, 416 or 302 to a range gives its status and no bytes", async (t) => {
  for (const status of ["200 OK", "416 X", "302 Found"]) {
    const seen: string[] = [];
    const { client } = await pair(t, partial("bytes 4096-4099/10000", "abcd", status));
    const response = await client.request({ ...get, range, onBody: (part) => seen.push(text(part)) });
    t.is(response.status, Number(status.slice(0, 3)));
    t.is(response.body.length, 0);
    t.deepEqual(seen, []);
  }
});

test("a body is streamed in parts, within the bound", async (t) => {
  const body = text(seededRandom(9).bytes(50_000));
  const { client } = await pair(t, (socket) => void socket.end(`HTTP/1.1 200 OK\r\n\r\n${body}`, "latin1"));
  let seen = "";
  let largest = 0;
  const response = await client.request({
    ...get,
    maxBody: 50_000,
    onBody: (part) => {
      seen += text(part);
      largest = Math.max(largest, part.length);
    },
  });
  t.is(response.body.length, 0);
  t.true(seen === body);
  t.true(largest <= 512);
  await t.throwsAsync(client.request({ ...get, maxBody: 49_999, onBody: () => {} }), { code: "too-large" });
});

test("what onBody throws, and an abort inside it, end the request", async (t) => {
  const { client } = await pair(t, ok("hello"));
  const thrower = () => {
    throw new Error("flash is full");
  };
  await t.throwsAsync(client.request({ ...get, onBody: thrower }), { message: "flash is full" });
  await t.throwsAsync(client.request({ ...get, onBody: () => client.abort() }), { code: "aborted" });
  t.is((await client.request(get)).status, 200);
});

// --- Anything at all.

test("changed and made-up answers are understood or refused with a code", (t) => {
  const random = seededRandom(10);
  const seeds = [...spellings.map(([, answer]) => answer), partial("bytes 1-2/3")];
  const codes = ["malformed", "closed"];
  for (let i = 0; i < 20_000; i++) {
    const changed = bytes(seeds[random.below(seeds.length)]!);
    for (let n = random.below(4); n > 0; n--) changed[random.below(changed.length)] = random.below(256);
    try {
      parse(text(changed), 1 + random.below(40));
    } catch (error) {
      t.true(
        codes.includes((error as { code: string }).code),
        `seed ${random.seed}, round ${i}: ${String(error)}`,
      );
    }
  }
});

test("where an answer is cut into reads makes no difference", (t) => {
  for (const [what, answer] of spellings)
    for (let step = 1; step <= answer.length; step += 1 + Math.floor(step / 8))
      t.deepEqual(
        parse(answer, step),
        { status: 200, body: "hello world", rest: 0 },
        `${what}, ${step} at a time`,
      );
});

test("bytes after the end are left for others", (t) => {
  t.deepEqual(parse(`${ok("hello")}HTTP/1.1`, 1000), { status: 200, body: "hello", rest: 8 });
});
