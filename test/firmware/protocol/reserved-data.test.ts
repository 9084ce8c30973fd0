// What of ours travels in ESP-Touch v2's reserved data: one layout, and nothing else is taken for it.

import test from "ava";
import { MAX_RESERVED, parseReserved, type ReservedData } from "../../../firmware/protocol/reserved-data.js";
import { encodeReserved } from "../../../firmware/protocol/reserved-data-writer.js";
import { parseServerUrl } from "../../../firmware/protocol/server-url.js";

const PIN = "uROGQNHjVgemEpRs1i8DAw";
const KEY = "Bd1zXq0aYGFiY2RlZmdoaWprbG1ubw";
const of = (url: string, joinKey?: string): ReservedData => ({ server: parseServerUrl(url), joinKey });
const code = (action: () => unknown): string | undefined => {
  try {
    action();
    return undefined;
  } catch (error) {
    return (error as { code?: string }).code;
  }
};

// Bytes written down by hand, from SPEC.md's table.
for (const [data, hex] of [
  [of("http://10.0.0.0:80/"), "b1 04 0050 0a000000 b1"],
  [of("http://b:65535/"), "b1 00 ffff 01 62 b1"],
  [
    of(`http://192.168.6.10:3000/#${PIN}`, KEY),
    "b1 07 0bb8 c0a8060a b9138640d1e35607a612946cd62f0303 05dd735ead1a606162636465666768696a6b6c6d6e6f b1",
  ],
  [
    of(`http://broome.local:3000/#${PIN}`),
    "b1 01 0bb8 0c 62726f6f6d652e6c6f63616c b9138640d1e35607a612946cd62f0303 b1",
  ],
  [of("http://192.168.06.10:3000/"), "b1 00 0bb8 0d 3139322e3136382e30362e3130 b1"], // no IPv4 address but a name
] as const)
  test(`${data.server.host}:${data.server.port}: to the byte, and back`, (t) => {
    const bytes = Uint8Array.from(Buffer.from(hex.replaceAll(" ", ""), "hex"));
    t.deepEqual(encodeReserved(data), bytes);
    t.deepEqual(parseReserved(bytes), data);
  });

test("a name of 20 characters fits beside pin and join key, of 58 alone; one more is refused with both figures", (t) => {
  for (const [length, rest] of [
    [20, [`#${PIN}`, KEY]],
    [58, [""]],
  ] as const) {
    const [hash, joinKey] = rest;
    const at = (size: number) => of(`http://${"a".repeat(size)}:3000/${hash}`, joinKey);
    const bytes = encodeReserved(at(length));
    t.is(bytes.length, MAX_RESERVED);
    t.deepEqual(parseReserved(bytes), at(length));
    const error = t.throws(() => encodeReserved(at(length + 1)), { code: "reserved-data-too-long" });
    t.regex(error!.message, new RegExp(`has ${length + 1} characters, .* carries ${length}`));
  }
});

test("a join key that is none is not written", (t) => {
  t.is(
    code(() => encodeReserved(of("http://a/", "short"))),
    "join-key-invalid",
  );
});

for (const [title, bytes] of [
  ["nothing", Buffer.alloc(0)],
  ["text of another app", Buffer.from("https://example.org/?token=1")],
  ["text that begins with two bytes", Buffer.from("±5 V")],
] as const)
  test(`${title} is foreign`, (t) => {
    t.is(
      code(() => parseReserved(bytes)),
      "reserved-data-foreign",
    );
  });

const whole = encodeReserved(of(`http://broome.local:3000/#${PIN}`, KEY));

test("cut anywhere, or with anything behind it, it is refused", (t) => {
  for (let length = 1; length < whole.length; length += 1)
    t.is(
      code(() => parseReserved(whole.subarray(0, length))),
      "reserved-data-invalid",
      `${length} bytes`,
    );
  for (const more of [0, 0xb1])
    t.is(
      code(() => parseReserved(Uint8Array.of(...whole, more))),
      "reserved-data-invalid",
    );
});

for (const [title, at, value, expected] of [
  ["a flag that is not known", 1, 0x0b, "reserved-data-invalid"],
  ["the highest flag", 1, 0x83, "reserved-data-invalid"],
  ["the flag of IPv4 where there is a name", 1, 0x07, "reserved-data-invalid"],
  ["a pin left out", 1, 0x02, "reserved-data-invalid"],
  ["a longer name", 4, 13, "reserved-data-invalid"],
  ["a name beyond the end", 4, 255, "reserved-data-invalid"],
  ["a line end in the name", 6, 0x0a, "server-url-invalid"],
  ["a slash in the name", 6, 0x2f, "server-url-invalid"],
  ["a byte beyond ASCII in the name", 6, 0xe9, "server-url-invalid"],
  ["no mark at the end", whole.length - 1, 0, "reserved-data-invalid"],
] as const)
  test(`${title} is refused`, (t) => {
    const changed = whole.slice();
    changed[at] = value;
    t.is(
      code(() => parseReserved(changed)),
      expected,
    );
  });

test("more than 64 bytes are refused, however well they are made", (t) => {
  const name = "a".repeat(59);
  const bytes = Uint8Array.of(0xb1, 0, 0, 80, name.length, ...Buffer.from(name), 0xb1);
  t.is(bytes.length, MAX_RESERVED + 1);
  t.is(
    code(() => parseReserved(bytes)),
    "reserved-data-invalid",
  );
});

test("port 0 and a host without characters are refused", (t) => {
  t.is(
    code(() => parseReserved(Uint8Array.of(0xb1, 4, 0, 0, 10, 0, 0, 1, 0xb1))),
    "server-url-invalid",
  );
  t.is(
    code(() => parseReserved(Uint8Array.of(0xb1, 0, 0, 80, 0, 0xb1))),
    "server-url-invalid",
  );
});

test("no refusal shows a byte of the key", (t) => {
  const changed = whole.slice(0, -1);
  const error = t.throws(() => parseReserved(changed)) as Error & { help: string };
  t.false((error.message + error.help).includes(KEY.slice(8, 14)));
});
