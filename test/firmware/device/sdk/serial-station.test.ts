// One thing at a time on the radio: what the firmware asks in between waits, fails or is dropped, as the seam says.

import test from "ava";
import {
  ADDRESS,
  ASSOCIATED,
  LOST,
  SCANNED,
  SerialStation,
  type StationDriver,
  type StationListener,
} from "../../../../firmware/device/sdk/serial-station.js";
import type { JoinEvents, JoinTarget, ScanList } from "../../../../firmware/device/types.js";
import { seededRandom } from "../../../support/random.js";
import { FakeTimer } from "./fake-timer.js";

const target = (name: string): JoinTarget => ({ ssid: new Uint8Array(Buffer.from(name)), password: "" });
const place = Uint8Array.of(2, 0, 0, 0, 0, 9, 11).buffer; // BSSID and channel
const lease = Uint8Array.of(192, 168, 1, 7, 255, 255, 255, 0, 192, 168, 1, 1, 9, 9, 9, 9, 0, 0, 0, 0).buffer;

/** A chip that does what it is told, and fails the test where it is told two things at once. */
class Chip implements StationDriver {
  readonly done: string[] = [];
  scanning = false;
  linked = false;
  leaving = false; // it owes an end, which a chip may keep to itself
  begins = true;
  tellsEnd = true;
  private listener: StationListener = () => undefined;

  listen(listener: StationListener): void {
    this.listener = listener;
  }

  scan(): boolean {
    if (this.scanning) throw new Error("two scans at once");
    this.done.push("scan");
    this.scanning = this.begins;
    return this.begins;
  }

  join({ ssid }: JoinTarget): boolean {
    if (this.scanning || (this.linked && !this.leaving)) throw new Error("a join while the radio is busy");
    this.leaving = false;
    this.done.push(`join ${Buffer.from(ssid).toString()}`);
    this.linked = this.begins;
    return this.begins;
  }

  leave(): boolean {
    if (!this.linked) return false;
    this.done.push("leave");
    this.leaving = this.tellsEnd;
    if (!this.tellsEnd) this.linked = false;
    return this.tellsEnd;
  }

  setHostName(name: string): void {
    this.done.push(`called ${name}`);
  }

  rssi(): number {
    return -50;
  }

  tell(kind: number, value?: ArrayBuffer | number): void {
    if (kind === SCANNED) this.scanning = false;
    if (kind === LOST) this.linked = false;
    this.listener(kind, value);
  }
}

function rig() {
  const chip = new Chip();
  const timer = new FakeTimer();
  const log: string[] = [];
  const events = (name: string): JoinEvents => ({
    associated: (bssid, channel) => log.push(`${name} associated ${bssid![5]}/${channel}`),
    address: ({ address, dns }) => log.push(`${name} ${address} ${dns}`),
    lost: (raw) => log.push(`${name} lost ${raw}`),
  });
  const scanned = (name: string) => (found: ScanList | undefined) =>
    void log.push(`${name} ${found ? found.length : "failed"}`);
  return { chip, timer, log, events, scanned, station: new SerialStation(chip, timer) };
}

test("a join is told its association, its address once, and its end once", (t) => {
  const { chip, log, events, station } = rig();
  station.join(target("home"), events("home"));
  t.is(station.rssi(), undefined);
  chip.tell(ASSOCIATED, place);
  t.is(station.rssi(), -50);
  chip.tell(ADDRESS, lease);
  chip.tell(ADDRESS, lease); // the lease was renewed
  chip.tell(LOST, 200);
  chip.tell(LOST, 200);
  t.deepEqual(log, ["home associated 9/11", "home 192.168.1.7 9.9.9.9", "home lost 200"]);
  t.is(station.rssi(), undefined);
});

test("a join drops the earlier one without an event, and begins when that is over", (t) => {
  const { chip, log, events, station } = rig();
  station.join(target("one"), events("one"));
  chip.tell(ASSOCIATED, place);
  station.join(target("two"), events("two"));
  t.deepEqual(chip.done, ["join one", "leave"]);
  chip.tell(ADDRESS, lease); // still of the first
  chip.tell(LOST, 8);
  t.deepEqual(chip.done, ["join one", "leave", "join two"]);
  chip.tell(ASSOCIATED, place);
  t.deepEqual(log, ["one associated 9/11", "two associated 9/11"]);
});

test("a chip that does not tell the end of an association is believed after a second", (t) => {
  const { chip, timer, events, station } = rig();
  station.join(target("one"), events("one"));
  station.leave();
  station.join(target("two"), events("two"));
  timer.advance(999);
  t.deepEqual(chip.done, ["join one", "leave"]);
  chip.linked = false;
  timer.advance(1);
  t.deepEqual(chip.done, ["join one", "leave", "join two"]);
  t.is(timer.pending, 0);
});

test("a chip that needs no time to leave is joined again at once", (t) => {
  const { chip, events, station } = rig();
  chip.tellsEnd = false;
  station.join(target("one"), events("one"));
  station.join(target("two"), events("two"));
  t.deepEqual(chip.done, ["join one", "leave", "join two"]);
});

test("a scan during a join fails, a join during a scan waits for its end", (t) => {
  const { chip, timer, log, events, scanned, station } = rig();
  station.scan(scanned("first"));
  station.join(target("home"), events("home"));
  t.deepEqual(chip.done, ["scan"]);
  chip.tell(SCANNED, new ArrayBuffer(84));
  t.deepEqual(chip.done, ["scan", "join home"]);
  station.scan(scanned("second"));
  t.deepEqual(log, ["first 2"]); // in a turn of its own
  timer.advance(0);
  t.deepEqual(log, ["first 2", "second failed"]);
  chip.tell(ASSOCIATED, place);
  station.scan(scanned("third")); // while associated a chip can
  chip.tell(SCANNED, new ArrayBuffer(42));
  t.deepEqual(log.slice(2), ["home associated 9/11", "third 1"]);
});

test("scans at the same time share one, and a scan that never ends fails after ten seconds", (t) => {
  const { chip, timer, log, scanned, station } = rig();
  station.scan(scanned("one"));
  station.scan(scanned("two"));
  t.deepEqual(chip.done, ["scan"]);
  timer.advance(10_000);
  t.deepEqual(log, ["one failed", "two failed"]);
  chip.tell(SCANNED, new ArrayBuffer(42)); // too late: it belongs to nobody
  t.is(log.length, 2);
});

test("a scan that is asked for while an association is dropped comes before the next join", (t) => {
  const { chip, log, events, scanned, station } = rig();
  station.join(target("one"), events("one"));
  station.leave();
  station.scan(scanned("scan"));
  station.join(target("two"), events("two"));
  chip.tell(LOST, 8);
  chip.tell(SCANNED);
  t.deepEqual(chip.done, ["join one", "leave", "scan", "join two"]);
  t.deepEqual(log, ["scan failed"]);
});

test("what the chip would not begin fails in a turn of its own", (t) => {
  const { chip, timer, log, events, scanned, station } = rig();
  chip.begins = false;
  station.join(target("home"), events("home"));
  t.deepEqual(log, []);
  timer.advance(0);
  station.scan(scanned("scan"));
  timer.advance(0);
  t.deepEqual(log, ["home lost 205", "scan failed"]);
});

test("leaving ends a join that waits, and is idle where there is nothing to leave", (t) => {
  const { chip, log, events, scanned, station } = rig();
  station.leave();
  station.scan(scanned("scan"));
  station.join(target("home"), events("home"));
  station.leave();
  chip.tell(SCANNED, new ArrayBuffer(0));
  t.deepEqual(chip.done, ["scan"]);
  t.deepEqual(log, ["scan 0"]);
});

test("whatever is asked and told in whatever order: the chip does one thing at a time, every scan is answered, every join ends at most once", (t) => {
  const random = seededRandom(11);
  for (let round = 0; round < 400; round += 1) {
    const { chip, timer, log, events, scanned, station } = rig();
    let scans = 0;
    for (let step = 0; step < 40; step += 1) {
      chip.begins = random.below(5) > 0;
      chip.tellsEnd = random.below(3) > 0;
      const what = random.below(8);
      if (what === 0) station.scan(scanned(`s${++scans}`));
      else if (what === 1) station.join(target("n"), events(`j${step}`));
      else if (what === 2) station.leave();
      else if (what === 3 && chip.scanning) chip.tell(SCANNED, new ArrayBuffer(42));
      else if (what === 4 && chip.linked) chip.tell(ASSOCIATED, place);
      else if (what === 5 && chip.linked) chip.tell(ADDRESS, lease);
      else if (what === 6 && chip.linked) chip.tell(LOST, 8);
      else if (what === 7) timer.advance(random.below(300));
    }
    chip.begins = true;
    for (let i = 0; i < 20; i += 1) {
      if (chip.scanning) chip.tell(SCANNED);
      if (chip.linked) chip.tell(LOST, 8);
      timer.advance(1_000);
    }
    const answers = log.filter((line) => line.startsWith("s"));
    t.is(answers.length, scans, `seed ${random.seed}, round ${round}`);
    t.is(new Set(answers.map((line) => line.split(" ")[0])).size, scans);
    const ends = log.filter((line) => line.includes("lost")).map((line) => line.split(" ")[0]);
    t.is(new Set(ends).size, ends.length, `seed ${random.seed}, round ${round}`);
    t.is(timer.pending, 0);
  }
});
