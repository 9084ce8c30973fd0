// The checks on bytes on the wire: encodings, sealed messages, joining, updates, HTTP.

import type { Mutant } from "./mutants.js";

const at = (name: string) => [`test/firmware/protocol/${name}.test.ts`];
const link = (name: string) => [`test/firmware/link/${name}.test.ts`];

const row = (name: string, file: string, find: string, replace: string, tests: string[]): Mutant => ({
  ...{ name, file: `firmware/${file}.ts`, find, replace, tests },
});

const encodings: Mutant[] = [
  row(
    "base64url: spare bits",
    "protocol/base64url",
    "if (((end - i === 3 ? c << 6 : b << 4) & 255) !== 0)",
    "if (false)",
    at("base64url"),
  ),
  row(
    "base64url: alphabet",
    "protocol/base64url",
    "if ((a | b | c | d) > 63)",
    "if (false)",
    at("base64url"),
  ),
  row(
    "base64url: alphabet at the end",
    "protocol/base64url",
    "if ((a | b | c) > 63)",
    "if (false)",
    at("base64url"),
  ),
  row(
    "base64url: length",
    "protocol/base64url",
    "if (decodedLength(end - start) < 0)",
    "if (false)",
    at("base64url"),
  ),
  row("json: depth", "protocol/json-depth", "if (depth > MAX_DEPTH)", "if (false)", at("json-depth")),
  row(
    "json: depth counted where brackets are many",
    "protocol/json-depth",
    "opensMore(bytes, MAX_DEPTH) ? ",
    "opensMore(bytes, 1e9) ? ",
    at("json-depth"),
  ),
  row("field: integers", "protocol/field", "!Number.isInteger(value) ||", "", at("json-depth")),
  row("field: upper bound", "protocol/field", "|| value > max)", ")", at("json-depth")),
  row("field: __proto__", "protocol/field", 'key === "__proto__" ||', "", at("json-depth")),
  row(
    "server address: pin",
    "protocol/server-url",
    "if (pin !== undefined && ",
    "if (false && ",
    at("server-url"),
  ),
];

const sealed: Mutant[] = [
  row(
    "sealed: tag",
    "protocol/a128cbc-hs256",
    "if (!equalBytes(tagOf(crypto, key, iv, aad, ciphertext), tag)) return undefined;",
    "",
    [...at("hkdf"), ...at("sealed")],
  ),
  row(
    "sealed: padding",
    "protocol/a128cbc-hs256",
    "if (count < 1 || count > BLOCK) return undefined;",
    "",
    at("sealed"),
  ),
  row(
    "sealed: empty second part",
    "protocol/sealed",
    "if (ends[1] !== ends[0]! + 1)",
    "if (false)",
    at("sealed"),
  ),
  row(
    "sealed: IV and tag of 16",
    "protocol/sealed",
    "if (iv.length !== BLOCK || tag.length !== BLOCK)",
    "if (false)",
    at("sealed"),
  ),
  row("sealed: header's beginning", "protocol/sealed", "!header.startsWith(HEADER) ||", "", at("sealed")),
  row("sealed: header's end", "protocol/sealed", "|| !header.endsWith(END)", "", at("sealed")),
  row("sealed: id", "protocol/sealed", "!isName(id, MAX_ID) ||", "", at("sealed")),
  row("sealed: generation", "protocol/sealed", "&& String(value) === text", "", at("sealed")),
  row(
    "sealed: reply bound to its request",
    "protocol/sealed",
    "if (sealed.re !== expected.re)",
    "if (false)",
    [...at("sealed"), ...link("sync")],
  ),
  row(
    "sealed: reply for this device and key",
    "protocol/sealed",
    "if (sealed.id !== expected.id || sealed.g !== expected.g)",
    "if (false)",
    at("sealed"),
  ),
  row(
    "sealed: one key a direction",
    "protocol/sealed",
    "broome/1 sync s2c|",
    "broome/1 sync c2s|",
    at("sealed"),
  ),
  row("sealed: (b, s) in the IV", "protocol/sealed", "view.setUint32(0, message.b);", "", at("sealed")),
];

const sync: Mutant[] = [
  row(
    "sync: order of readings",
    "protocol/sync-message",
    'refuse("r", `record',
    'void ("r", `record',
    at("sync-message"),
  ),
  row(
    "sync: configuration's bound",
    "protocol/sync-message",
    "> MAX_CONFIGURATION)",
    "> 1e9)",
    at("sync-message"),
  ),
  row(
    "sync: state of an update",
    "protocol/sync-message",
    "if (state === undefined)",
    "if (false)",
    at("sync-message"),
  ),
  row(
    "sync: offer's digest",
    "protocol/sync-message",
    "if (!isHexDigest(o.m))",
    "if (false)",
    at("sync-message"),
  ),
  row("sync: time only without a hold", "link/sync", "waitS === 0 &&", "", link("sync")),
  row(
    "sync: time only from a quick round trip",
    "link/sync",
    "&& roundTripMs < CLOCK_ROUND_TRIP_MS",
    "",
    link("sync"),
  ),
  row("sync: status 200", "link/sync", "if (response.status !== 200)", "if (false)", link("sync")),
];

const joining: Mutant[] = [
  row("noise: tag", "protocol/noise", "if (!plaintext)", "if (false)", at("noise")),
  row("noise: low-order points", "protocol/noise", "if (isZero(shared))", "if (false)", at("noise")),
  row(
    "noise: a message that fails changes nothing",
    "protocol/noise",
    "this.#state = before;",
    "",
    at("noise"),
  ),
  row(
    "noise: psk mixes the ephemeral key",
    "protocol/noise",
    "if (this.#psk) this.#mixKey(publicKey);",
    "",
    at("noise"),
  ),
  row("join: server's pin", "protocol/join", "if (pin !== undefined && ", "if (false && ", [
    ...at("join"),
    ...link("join"),
  ]),
  row(
    "join: commitment",
    "protocol/join",
    "if (!equalBytes(encodeUtf8(commitment(crypto, bytes)), encodeUtf8(join.c)))",
    "if (false)",
    at("join"),
  ),
  row("join: kid in the prologue", "protocol/join", "broome/1 join|${kid}", "broome/1 join|", at("join")),
  row("join: body's bound", "protocol/join", "if (body.length > MAX_JOIN_BODY)", "if (false)", at("join")),
  row("join: version", "protocol/join", "if (o.v !== 1)", "if (false)", at("join")),
  row("join: three sendings", "link/join", "const SENDINGS = 3;", "const SENDINGS = 4;", link("join")),
  row("join: no pin, refused", "link/join", 'unpinned === "refuse"', "false", link("join")),
  row(
    "join: wrong server, not asked again",
    "link/join",
    'if (last.kind === "joined" || !isLoss(last.reason)) break;',
    'if (last.kind === "joined") break;',
    link("join"),
  ),
];

const manifest = at("update-manifest");
const checks = at("update-checks");
const update: Mutant[] = [
  row(
    "manifest: header",
    "protocol/update-manifest",
    "!header.startsWith(HEADER) || !header.endsWith(END) ||",
    "",
    manifest,
  ),
  row(
    "manifest: one spelling",
    "protocol/update-manifest",
    "if (!equalBytes(encodeUtf8(JSON.stringify(manifest)), payload))",
    "if (false)",
    manifest,
  ),
  row(
    "manifest: second line's payload",
    "protocol/update-manifest",
    "if (dots[1] !== dots[0] + 1)",
    "if (false)",
    manifest,
  ),
  row(
    "manifest: signature's length",
    "protocol/update-manifest",
    "if (signature.length !== 64)",
    "if (false)",
    manifest,
  ),
  row("update: digest of the offer", "protocol/update-checks", "!== context.offer.m)", '=== "")', checks),
  row("update: known key", "protocol/update-checks", "if (good === undefined)", "if (false)", checks),
  row("update: signature", "protocol/update-checks", "if (!good)", "if (false)", checks),
  row(
    "update: product",
    "protocol/update-checks",
    "if (m.product !== context.product)",
    "if (false)",
    checks,
  ),
  row("update: chip", "protocol/update-checks", "if (m.chip !== context.chip)", "if (false)", checks),
  row("update: layout", "protocol/update-checks", "if (m.layout !== context.layout)", "if (false)", checks),
  row("update: stored security counter", "protocol/update-checks", "m.sc < context.minimumSc ||", "", checks),
  row("update: running security counter", "protocol/update-checks", "|| m.sc < context.sc)", ")", checks),
  row(
    "update: newer",
    "protocol/update-checks",
    "compareVersions(m.version, context.version) <= 0",
    "false",
    checks,
  ),
  row(
    "update: down only where the offer says so",
    "protocol/update-checks",
    "!context.offer.down &&",
    "",
    checks,
  ),
  row(
    "update: min",
    "protocol/update-checks",
    "if (compareVersions(context.version, m.min) < 0)",
    "if (false)",
    checks,
  ),
  row(
    "update: size",
    "protocol/update-checks",
    "if (slotBytes(m.size) > context.slotSize)",
    "if (false)",
    checks,
  ),
  row(
    "update: keys",
    "protocol/update-checks",
    "if (!keepsKey(crypto, signed, context.keys))",
    "if (false)",
    checks,
  ),
  row("update: failed before", "protocol/update-checks", "context.failed(m.sha256)", "false", checks),
  row(
    "curve: small order",
    "../host/crypto",
    "if (SMALL_ORDER_Y.some",
    "if (false && SMALL_ORDER_Y.some",
    manifest,
  ),
];

const http = link("http");
const web: Mutant[] = [
  row("http: head's bound", "link/http-response", "if (this.#headLength > MAX_HEAD)", "if (false)", http),
  row("http: status line", "link/http-response", "if (!shape || length < 12 ||", "if (", http),
  row("http: two lengths", "link/http-response", "this.head.length !== value)", "false)", http),
  row(
    "http: length and chunks",
    "link/http-response",
    "if (this.#chunked && this.head.length !== undefined)",
    "if (false)",
    http,
  ),
  row(
    "http: chunk's end",
    "link/http-response",
    'if (length !== 0) throw malformed("a chunk',
    'if (false) throw malformed("a chunk',
    http,
  ),
  row("http: interim answers", "link/http-response", "|| this.#interim > MAX_INTERIM", "", http),
  row("http: 101", "link/http-response", "this.head.status === 101 ||", "", http),
  row(
    "http: folded lines",
    "link/http-response",
    "if (this.#line[0] === SPACE || this.#line[0] === TAB)",
    "if (false)",
    http,
  ),
  row("http: early end", "link/http-response", "if (this.#state !== DONE) throw", "if (false) throw", http),
  row(
    "http: length above the bound",
    "link/http",
    "if (head.length !== undefined && head.length > maxBody)",
    "if (false)",
    http,
  ),
  row("http: body above the bound", "link/http", "if (length > maxBody) throw", "if (false) throw", http),
  row("http: range's bytes", "link/http", "if (range && !isRange(head, range))", "if (false)", http),
  row(
    "http: range's length",
    "link/http",
    "if (job.kept && range && job.length !== range.length)",
    "if (false)",
    http,
  ),
  row("http: stray bytes", "link/http", "if (!clean || !keepAlive ||", "if (!keepAlive ||", http),
  row("http: connection: close", "link/http", "|| !job.parser.keepsAlive", "", http),
  row(
    "http: once more, not for ever",
    "link/http",
    "if (!job.answered && !job.fresh) {",
    "if (!job.answered) {",
    http,
  ),
];

export const wireMutants: readonly Mutant[] = [
  ...encodings,
  ...sealed,
  ...sync,
  ...joining,
  ...update,
  ...web,
];
