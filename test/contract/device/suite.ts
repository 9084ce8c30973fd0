// What every platform's seam must do, in the order of firmware/device/types.ts. One line a case: `contract: ok NAME` or `contract: FAILED
// NAME: why`; at the end `contract: end CASES FAILED`. The world around it: a network called as `linkOf` says, and nothing at port 9.

import type { Address, Device, Flash, JoinEvents, ScanList } from "../../../firmware/device/types.js";

type Case = readonly [name: string, run: (device: Device) => Promise<void>];

/** A join is over, however it ends, within this. */
const PATIENCE_MS = 20_000;
const ABSENT = [0x6e, 0x6f, 0x62, 0x6f, 0x64, 0x79]; // "nobody"
/** A signal is measured anew for each network of a list that was in order before. */
const JITTER_DB = 6;
const SCRATCH = 15; // the last sector: the store of a real firmware begins at the first

const cases: readonly Case[] = [
  ["timer: once, in order of time, and not after clear", timerOnce],
  ["timer: repeats until cleared; clear of anything over is nothing", timerRepeats],
  ["flash: erased bytes are FF, what is written is read", flashWrites],
  ["flash: a write only clears bits, and changes nothing where it would have to set one", flashIsNor],
  ["flash: nothing beyond the region", flashBounds],
  ["Resource: the defaults block, and undefined for no such file", resources],
  ["system: a MAC of 6 bytes, uptime that grows, a known cause, free memory", systemFacts],
  ["crypto: random bytes differ", randomness],
  ["crypto: SHA-256 of abc, whole and in parts (FIPS 180-4)", sha256],
  ["crypto: HMAC-SHA256 (RFC 4231, case 2)", hmac],
  ["crypto: AES-128-CBC there and back (SP 800-38A F.2.1)", cbc],
  ["crypto: AES-256-GCM seals (SP 800-38D test case 16), and opens nothing that was touched", gcm],
  ["crypto: X25519 (RFC 7748, 5.2), and that both ends agree", x25519],
  ["crypto: Ed25519 (RFC 8032, test 2), and not with another message", ed25519],
  ["station: a scan finds the network once", scan],
  ["station: a network that is not there is lost, with a reason", joinNobody],
  ["station: associated, then an address; rssi is told while it lasts", joinNetwork],
  ["station: takes a host name at any time, and joins with it", joinNamed],
  ["resolve: an address stands for itself; a name of nobody is undefined", resolve],
  ["tcp: nobody listens: an error, once", tcpRefused],
  ["tcp: use after close throws, a second close does not", tcpClosed],
  ["console: bytes go out whole", consoleWrites],
];

/** Runs all cases, one after the other. */
export async function runContract(device: Device): Promise<void> {
  let failed = 0;
  for (const [name, run] of cases) {
    try {
      await run(device);
      say(device, `contract: ok ${name}`);
    } catch (error) {
      failed++;
      say(device, `contract: FAILED ${name}: ${(error as Error).message}`);
    }
    device.system.feedWatchdog();
  }
  say(device, `contract: end ${cases.length} ${failed}`);
}

// ---- words ----

function say(device: Device, line: string): void {
  const bytes = new Uint8Array(line.length + 1);
  for (let i = 0; i < line.length; i++) bytes[i] = line.charCodeAt(i) & 0x7f;
  bytes[line.length] = 10;
  device.console.write(bytes);
}

function check(holds: boolean, what: string): void {
  if (!holds) throw new Error(what);
}

function hex(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length / 2);
  for (let i = 0; i < bytes.length; i++) bytes[i] = parseInt(text.slice(2 * i, 2 * i + 2), 16);
  return bytes;
}

function same(actual: Uint8Array, expected: Uint8Array, what: string): void {
  check(actual.length === expected.length, `${what}: ${actual.length} bytes, not ${expected.length}`);
  for (let i = 0; i < actual.length; i++)
    check(actual[i] === expected[i], `${what}: byte ${i} is ${actual[i]}, not ${expected[i]}`);
}

/** The code of what `action` throws. */
function refusal(action: () => unknown): string | undefined {
  try {
    action();
  } catch (error) {
    return (error as { code?: string }).code ?? "no code";
  }
  return undefined;
}

function wait(device: Device, ms: number): Promise<void> {
  return new Promise((resolve) => void device.timer.set(resolve, ms));
}

/** What `start` hands to its callback, or an error after a while. */
function within<T>(device: Device, start: (done: (value: T) => void) => void): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = device.timer.set(() => reject(new Error("nothing came")), PATIENCE_MS);
    start((value) => {
      device.timer.clear(timer);
      resolve(value);
    });
  });
}

// ---- timer ----

async function timerOnce(device: Device): Promise<void> {
  const order: number[] = [];
  device.timer.set(() => order.push(2), 60);
  device.timer.set(() => order.push(1), 10);
  device.timer.clear(device.timer.set(() => order.push(3), 30));
  await wait(device, 200);
  check(order.join() === "1,2", `fired: ${order.join()}`);
}

async function timerRepeats(device: Device): Promise<void> {
  let count = 0;
  const handle = device.timer.repeat(() => count++, 20);
  await wait(device, 150);
  device.timer.clear(handle);
  const before = count;
  await wait(device, 100);
  check(before >= 2, `${before} times in 150 ms`);
  check(count === before, "it goes on after clear");
  device.timer.clear(handle);
  device.timer.clear(undefined);
}

// ---- flash ----

function scratch(device: Device): { flash: Flash; at: number } {
  const flash = device.flash("broome");
  check(
    flash.sectorSize === 4096 && flash.size >= 0x10000,
    `${flash.size} bytes, sectors of ${flash.sectorSize}`,
  );
  flash.eraseSector(SCRATCH);
  return { flash, at: SCRATCH * flash.sectorSize };
}

async function flashWrites(device: Device): Promise<void> {
  const { flash, at } = scratch(device);
  same(flash.read(at, 8), new Uint8Array(8).fill(0xff), "erased");
  flash.write(at + 3, Uint8Array.of(1, 2, 3, 4, 5)); // neither end on a word
  same(flash.read(at, 10), Uint8Array.of(255, 255, 255, 1, 2, 3, 4, 5, 255, 255), "written");
  flash.eraseSector(SCRATCH);
  same(flash.read(at, 8), new Uint8Array(8).fill(0xff), "erased again");
}

async function flashIsNor(device: Device): Promise<void> {
  const { flash, at } = scratch(device);
  flash.write(at, Uint8Array.of(0xf0, 0xff, 0xff, 0xff));
  flash.write(at, Uint8Array.of(0x30, 0xff, 0xff, 0xff));
  same(flash.read(at, 1), Uint8Array.of(0x30), "bits cleared");
  check(refusal(() => flash.write(at, Uint8Array.of(0x31, 0, 0, 0))) === "flash-not-erased", "a bit was set");
  same(flash.read(at, 4), Uint8Array.of(0x30, 0xff, 0xff, 0xff), "after the refusal");
}

async function flashBounds(device: Device): Promise<void> {
  const { flash } = scratch(device);
  check(refusal(() => flash.read(flash.size - 2, 4)) !== undefined, "read beyond the end");
  check(
    refusal(() => flash.write(flash.size - 2, new Uint8Array(4))) !== undefined,
    "written beyond the end",
  );
  check(
    refusal(() => flash.eraseSector(flash.size / flash.sectorSize)) !== undefined,
    "erased beyond the end",
  );
}

// ---- Resource, system ----

async function resources(device: Device): Promise<void> {
  check(device.resource("defaults.bin")?.length === 1024, "no block of 1024 bytes");
  check(device.resource("no-such-file.bin") === undefined, "a file that is not there");
}

async function systemFacts(device: Device): Promise<void> {
  const { system } = device;
  const causes = [
    "power-on",
    "software",
    "watchdog",
    "exception",
    "brownout",
    "deep-sleep",
    "external",
    "unknown",
  ];
  check(system.mac().length === 6 && (system.mac()[0]! & 1) === 0, `MAC ${system.mac().join()}`);
  check(causes.includes(system.resetCause()), `cause ${system.resetCause()}`);
  const before = system.uptimeMs();
  await wait(device, 50);
  check(system.uptimeMs() >= before + 40, `${before} ms, then ${system.uptimeMs()} ms`);
  const { free, peak, limit } = system.heap();
  check(free > 0 && peak > 0 && free <= limit && peak <= limit, `heap ${free} ${peak} ${limit}`);
}

// ---- crypto ----

const KEY16 = "2b7e151628aed2a6abf7158809cf4f3c";
const BLOCK = "6bc1bee22e409f96e93d7e117393172a";

async function randomness({ crypto }: Device): Promise<void> {
  const [one, other] = [crypto.random(16), crypto.random(16)];
  check(one.length === 16 && other.length === 16, "other than 16 bytes");
  check(!one.every((byte, i) => byte === other[i]), "twice the same");
}

async function sha256({ crypto }: Device): Promise<void> {
  const expected = hex("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  same(crypto.sha256(Uint8Array.of(97), Uint8Array.of(98, 99)), expected, "whole");
  const hash = crypto.createSha256();
  hash.update(Uint8Array.of(97, 98));
  hash.update(Uint8Array.of(99));
  same(hash.digest(), expected, "in parts");
}

async function hmac({ crypto }: Device): Promise<void> {
  const key = hex("4a656665");
  const data = hex("7768617420646f2079612077616e7420666f72206e6f7468696e673f");
  const expected = hex("5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  same(crypto.hmacSha256(key, data.subarray(0, 5), data.subarray(5)), expected, "tag");
}

async function cbc({ crypto }: Device): Promise<void> {
  const [key, iv] = [hex(KEY16), hex("000102030405060708090a0b0c0d0e0f")];
  const sealed = crypto.aesCbcEncrypt(key, iv, hex(BLOCK));
  same(sealed, hex("7649abac8119b246cee98e9b12e9197d"), "ciphertext");
  same(crypto.aesCbcDecrypt(key, iv, sealed), hex(BLOCK), "plaintext");
}

async function gcm({ crypto }: Device): Promise<void> {
  const key = hex("feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308");
  const nonce = hex("cafebabefacedbaddecaf888");
  const aad = hex("feedfacedeadbeeffeedfacedeadbeefabaddad2");
  const plaintext = hex(
    "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39",
  );
  const sealed = hex(
    "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f66276fc6ece0f4e1768cddf8853bb2d551b",
  );
  same(crypto.aesGcmSeal(key, nonce, aad, plaintext), sealed, "sealed");
  same(crypto.aesGcmOpen(key, nonce, aad, sealed) ?? new Uint8Array(0), plaintext, "opened");
  for (const at of [0, 59, 60, 75]) {
    const touched = sealed.slice();
    touched[at]! ^= 1;
    check(crypto.aesGcmOpen(key, nonce, aad, touched) === undefined, `opened with byte ${at} touched`);
  }
}

async function x25519({ crypto, system }: Device): Promise<void> {
  const scalar = hex("a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4");
  const point = hex("e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c");
  const product = hex("c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552");
  same(crypto.x25519(scalar, point), product, "product");
  system.feedWatchdog();
  const other = crypto.random(32);
  const shared = crypto.x25519(scalar, crypto.x25519Public(other));
  same(crypto.x25519(other, crypto.x25519Public(scalar)), shared, "both ends");
}

async function ed25519({ crypto }: Device): Promise<void> {
  const key = hex("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c");
  const signature = hex(
    "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
  );
  check(crypto.ed25519Verify(key, Uint8Array.of(0x72), signature), "refused");
  check(!crypto.ed25519Verify(key, Uint8Array.of(0x73), signature), "taken for another message");
}

// ---- network ----

async function scan(device: Device): Promise<void> {
  const found = await heard(device);
  check(found.length > 0 && found.length <= 16, `${found.length} networks were heard`);
  let before = 0;
  for (let place = 0; place < found.length; place++) {
    const [ssid, channel, rssi] = [found.ssid(place), found.channel(place), found.rssi(place)];
    check(
      ssid.length <= 32 && channel >= 1 && channel <= 14 && rssi < 0,
      `${ssid.join()} ${channel} ${rssi}`,
    );
    check(place === 0 || rssi <= before + JITTER_DB, `${rssi} dBm after ${before}`);
    before = rssi;
  }
}

async function heard(device: Device): Promise<ScanList> {
  const found = await within<ScanList | undefined>(device, (done) => device.station.scan(done));
  check(found !== undefined, "the scan failed");
  return found!;
}

interface Joined {
  associated: boolean;
  address?: Address;
  lost?: number;
}

function join(device: Device, ssid: Uint8Array, password: string): Promise<Joined> {
  return within(device, (done) => {
    const so: Joined = { associated: false };
    const events: JoinEvents = {
      associated: () => void (so.associated = true),
      address: (address) => done({ ...so, address }),
      lost: (lost) => done({ ...so, lost }),
    };
    device.station.join({ ssid, password }, events);
  });
}

async function joinNobody(device: Device): Promise<void> {
  const { lost, associated } = await join(device, Uint8Array.from(ABSENT), "");
  check(lost !== undefined && !associated, "joined what is not there");
  check(device.station.reason(lost!) === "not-found", `reason ${device.station.reason(lost!)} (${lost})`);
}

async function joinNetwork(device: Device): Promise<void> {
  const found = await heard(device);
  let open = 0;
  while (open < found.length && found.security(open) !== "open") open++;
  check(open < found.length, "no open network");
  const { address, associated, lost } = await join(device, found.ssid(open), "");
  check(associated && address !== undefined, `lost ${lost}`);
  check(/^\d+\.\d+\.\d+\.\d+$/.test(address!.address), address!.address);
  check((device.station.rssi() ?? 0) < 0, `rssi ${device.station.rssi()}`);
}

async function joinNamed(device: Device): Promise<void> {
  device.station.setHostName("before-the-join");
  await joinNetwork(device);
  device.station.setHostName("0123456789abcdefghijklmnopqrst-X"); // 32 characters, while it is on line
  await joinNetwork(device);
}

async function resolve(device: Device): Promise<void> {
  const ask = (host: string) => within<string | undefined>(device, (done) => device.resolve(host, done));
  check((await ask("127.0.0.1")) === "127.0.0.1", "127.0.0.1 is somebody else");
  check((await ask("nobody.invalid")) === undefined, "nobody.invalid is somebody"); // RFC 6761, 6.4
}

async function tcpRefused(device: Device): Promise<void> {
  let count = 0;
  const why = await within<string>(device, (done) => {
    device.tcp({
      address: "127.0.0.1",
      port: 9,
      onReadable: () => done("readable"),
      onWritable: () => done("writable"),
      onError: (reason) => {
        count++;
        done(reason);
      },
    });
  });
  await wait(device, 200);
  check(why === "error" && count === 1, `${why}, ${count} times`);
}

async function tcpClosed(device: Device): Promise<void> {
  let after = 0;
  const socket = device.tcp({
    address: "127.0.0.1",
    port: 9,
    onReadable: () => after++,
    onWritable: () => after++,
    onError: () => after++,
  });
  socket.close();
  socket.close();
  check(refusal(() => socket.read()) !== undefined, "read after close");
  check(refusal(() => socket.write(Uint8Array.of(1))) !== undefined, "written after close");
  await wait(device, 200);
  check(after === 0, `${after} callbacks after close`);
}

async function consoleWrites({ console }: Device): Promise<void> {
  const bytes = new Uint8Array(300).fill(0x2e); // more than a FIFO
  bytes[299] = 10;
  console.write(bytes);
}
