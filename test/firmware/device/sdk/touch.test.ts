// ESP-Touch over a chip's own code: turns of the versions, credentials, acknowledgement, and an end in every case.

import test from "ava";
import {
  ACKNOWLEDGED,
  CHANNEL,
  CREDENTIALS,
  MALFORMED,
  TouchListener,
  type TouchDriver,
  type TouchDriverListener,
  type TouchVersion,
} from "../../../../firmware/device/sdk/touch-listener.js";
import { touchCredentials } from "../../../../firmware/device/sdk/touch-record.js";
import { seededRandom } from "../../../support/random.js";
import { FakeTimer } from "./fake-timer.js";

const part = (text: string) => [text.length, ...Buffer.from(text, "latin1")];
const record = (flags: number, ssid: string, password: string, reserved = "") =>
  Uint8Array.of(flags, ...part(ssid), ...part(password), ...part(reserved));

class Chip implements TouchDriver {
  readonly versions: readonly TouchVersion[];
  readonly done: string[] = [];
  error = 0;
  tell: TouchDriverListener = () => undefined;
  private running = false;

  constructor(versions: readonly TouchVersion[]) {
    this.versions = versions;
  }

  start(version: TouchVersion, key: string | undefined, listener: TouchDriverListener): number {
    if (this.running) throw new Error("started twice: the vendor's code must be stopped first");
    this.done.push(`v${version}${key ? ` ${key}` : ""}`);
    this.tell = listener;
    this.running = this.error === 0;
    return this.error;
  }

  stop(): void {
    if (!this.running) throw new Error("stopped twice");
    this.running = false;
    this.done.push("stop");
  }
}

function rig(versions: readonly TouchVersion[] = [1, 2]) {
  const chip = new Chip(versions);
  const timer = new FakeTimer();
  const log: string[] = [];
  const events = {
    credentials: (heard: { ssid: Uint8Array; password: string; reserved?: Uint8Array; encrypted: boolean }) =>
      void log.push(`${Buffer.from(heard.ssid).toString()}/${heard.password}/${heard.reserved ?? "none"}`),
    failed: (raw: number) => void log.push(`failed ${raw}`),
  };
  const tell = (bytes: Uint8Array) => chip.tell(CREDENTIALS, bytes.slice().buffer as ArrayBuffer);
  return { chip, timer, log, events, tell, touch: new TouchListener(chip, timer) };
}

test("versions take turns of 15 s; one that found a channel keeps it 45 s; the key goes with v2 alone", (t) => {
  const { chip, timer, events, touch } = rig();
  touch.start(events, "0123456789abcdef");
  timer.advance(14_999);
  t.deepEqual(chip.done, ["v1"]);
  timer.advance(1);
  t.deepEqual(chip.done, ["v1", "stop", "v2 0123456789abcdef"]);
  chip.tell(CHANNEL);
  timer.advance(44_999);
  t.is(chip.done.length, 3);
  timer.advance(1);
  t.deepEqual(chip.done.slice(3), ["stop", "v1"]);
});

test("a start goes on with the version whose turn it is, so that little patience does not starve one", (t) => {
  const { chip, timer, events, touch } = rig();
  for (let i = 0; i < 3; i += 1) {
    touch.start(events);
    timer.advance(5_000);
    touch.stop();
  }
  t.deepEqual(chip.done, ["v1", "stop", "v2", "stop", "v1", "stop"]);
  t.is(timer.pending, 0);
});

test("a chip with one version begins anew at the same times", (t) => {
  const { chip, timer, events, touch } = rig([1]);
  touch.start(events);
  timer.advance(15_000);
  t.deepEqual(chip.done, ["v1", "stop", "v1"]);
});

test("a transfer is under way from the channel's finding to the credentials, or to the end of its time", (t) => {
  const { chip, timer, events, tell, touch } = rig();
  t.false(touch.receiving());
  touch.start(events);
  t.false(touch.receiving());
  chip.tell(CHANNEL);
  t.true(touch.receiving());
  timer.advance(45_000);
  t.false(touch.receiving());
  chip.tell(CHANNEL);
  tell(record(0, "home", ""));
  t.false(touch.receiving());
  touch.start(events);
  chip.tell(CHANNEL);
  touch.stop();
  t.false(touch.receiving());
});

test("credentials come once and are not applied; the phone is told when asked for, then it ends", (t) => {
  const { chip, timer, log, events, tell, touch } = rig();
  touch.start(events);
  tell(record(0, "home", "password"));
  tell(record(0, "other", "password"));
  t.deepEqual(log, ["home/password/none"]);
  timer.advance(60_000); // an attempt takes its time: no turn ends meanwhile
  t.deepEqual(chip.done, ["v1"]);
  touch.acknowledge();
  timer.advance(3_000);
  t.deepEqual(chip.done, ["v1"]);
  chip.tell(ACKNOWLEDGED);
  t.deepEqual(chip.done, ["v1", "stop"]);
  touch.stop();
  t.is(timer.pending, 0);
});

test("a phone that cannot be told is given up after ten seconds", (t) => {
  const { chip, timer, events, tell, touch } = rig();
  touch.start(events);
  tell(record(0, "home", ""));
  touch.acknowledge();
  timer.advance(10_000);
  t.deepEqual(chip.done, ["v1", "stop"]);
});

test("after a failed attempt the phone is told nothing", (t) => {
  const { chip, log, events, tell, touch } = rig();
  touch.start(events);
  tell(record(0, "home", "wrong password"));
  touch.stop();
  chip.tell(ACKNOWLEDGED);
  touch.acknowledge();
  t.deepEqual(chip.done, ["v1", "stop"]);
  t.deepEqual(log, ["home/wrong password/none"]);
});

test("a start that fails, and credentials that are none, say so once and leave nothing behind", (t) => {
  const { chip, timer, log, events, tell, touch } = rig();
  chip.error = 12292;
  touch.start(events);
  t.deepEqual(log, []);
  timer.advance(0);
  chip.error = 0;
  touch.start(events);
  tell(Uint8Array.of(0, 33));
  t.deepEqual(log, ["failed 12292", `failed ${MALFORMED}`]);
  t.deepEqual(chip.done, ["v1", "v2", "stop"]);
  t.is(timer.pending, 0);
  t.throws(() => touch.start(events, "short"), { message: /16 characters, got 5/ });
});

test("a record is flags, name, password and reserved data, to the last byte", (t) => {
  t.deepEqual(touchCredentials(record(0, "h\xe9\0", "12345678")), {
    ssid: Uint8Array.of(0x68, 0xe9, 0),
    password: "12345678",
    reserved: undefined,
    encrypted: false,
  });
  t.deepEqual(touchCredentials(record(3, "home", "", "https")), {
    ssid: new Uint8Array(Buffer.from("home")),
    password: "",
    reserved: new Uint8Array(Buffer.from("https")),
    encrypted: true,
  });
  for (const bad of [
    record(0, "", "12345678"),
    record(0, "x".repeat(33), "12345678"),
    record(0, "home", "x".repeat(65)),
    record(0, "home", "1234567\x80"),
    record(0, "home", "1234567\n"),
    record(1, "home", "", "x".repeat(65)),
    Uint8Array.of(...record(0, "home", ""), 0),
    new Uint8Array(0),
  ])
    t.is(touchCredentials(bad), undefined);
});

test("no bytes break the record's parser, and none cut short are taken", (t) => {
  const random = seededRandom(3);
  const good = record(1, "home", "12345678", "abc");
  for (let length = 0; length < good.length; length += 1)
    t.is(touchCredentials(good.subarray(0, length)), undefined);
  for (let round = 0; round < 2_000; round += 1) {
    const bytes = random.bytes(random.below(170)).map((byte, i) => (i < 2 ? byte & 7 : byte));
    const heard = touchCredentials(bytes);
    if (heard) t.true(heard.ssid.length >= 1 && heard.ssid.length <= 32, `seed ${random.seed}`);
  }
  t.pass();
});
