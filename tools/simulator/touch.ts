// ESP-Touch in the chip: what the vendor's code does in a real one. It hops over the channels, hears frames of all senders, works
// from their lengths alone, and answers the sender once the firmware is on line.

import { BusError } from "../engine/engine.js";
import { APP_PORTS } from "../smartconfig/credentials.js";
import { V1Decoder, type V1Result } from "../smartconfig/v1-decoder.js";
import { V2Decoder } from "../smartconfig/v2-decoder.js";
import type { Transfer } from "../smartconfig/v2-transfer.js";
import type { Air } from "./air.js";
import type { Clock, ClockTimer } from "./clock.js";
import type { Post } from "./events.js";
import type { Frame } from "./frames.js";
import type { Radio } from "./radio.js";

/** What the firmware is told of credentials that are none: a name or a password that no network has. */
const MALFORMED = -1;

const CHANNELS = 13;
const HOP_MS = 120;
/** A channel on which somebody sends to all is listened to this long: v1's guide codes come every 6 s. */
const LINGER_MS = 7_000;
const LINGER_FRAMES = 3; // in one stay
/** A transfer that was found holds the channel until nothing of it was heard for this long. */
const SILENCE_MS = 3_000;
const MAX_SENDERS = 8;
const DEAF_BELOW_DBM = -95;
/** The vendor's code sends 30 answers, one every 100 ms (ESP8266_RTOS_SDK, smartconfig_ack.c). */
const ANSWERS = 30;
const ANSWER_EVERY_MS = 100;

export interface TouchOptions {
  air: Air;
  clock: Clock;
  post: Post;
  radio: Radio;
  /** Seeded, [0, 1): frames are lost, or overtake each other, as the world says. */
  chance: () => number;
  mac: Uint8Array;
  versions: readonly (1 | 2)[];
}

interface Sender {
  readonly frame: Frame;
  readonly v1: V1Decoder | undefined;
  readonly v2: V2Decoder | undefined;
  frames: number;
  lastMs: number;
}

interface Heard {
  readonly ssid: Uint8Array;
  readonly password: Uint8Array;
  readonly reserved: Uint8Array | undefined;
  readonly encrypted: boolean;
  readonly frame: Frame;
  readonly port: number;
  readonly address: Uint8Array | undefined;
}

export class Touch {
  private readonly options: TouchOptions;
  private readonly hear = (frame: Frame) => this.onFrame(frame);
  private listening = false;
  private key: Uint8Array | undefined;
  private channel = 1;
  private channelSinceMs = 0;
  private hop: ClockTimer | undefined;
  private senders = new Map<string, Sender>();
  private late: Frame | undefined; // overtaken by the next one
  private heard: Heard | undefined; // waits for an acknowledgement
  private answering: ClockTimer | undefined;

  constructor(options: TouchOptions) {
    this.options = options;
  }

  /** Listens until credentials are heard or `stop`. `key`: AES-128. */
  start(key: Uint8Array | undefined): void {
    if (this.options.radio.busy) throw new BusError("busy", "the radio is joining, scanning or on line");
    this.stop();
    this.listening = true;
    this.key = key;
    this.options.air.on("frame", this.hear);
    this.tune(1);
  }

  stop(): void {
    this.quiet();
    this.options.clock.clear(this.answering);
    this.answering = undefined;
    this.heard = undefined;
  }

  /** True while the frames of a transfer keep coming. */
  receiving(): boolean {
    return this.listening && this.transferring();
  }

  /** Tells the sender, some seconds in the background. */
  acknowledge(): void {
    const { heard } = this;
    const address = this.options.radio.address;
    if (!heard || address === undefined) return;
    const first = (heard.ssid.length + heard.password.length + 9) & 0xff;
    const packet = Uint8Array.from([first, ...this.options.mac, ...address.split(".").map(Number)]);
    this.answer(heard, packet, ANSWERS);
  }

  private answer(heard: Heard, packet: Uint8Array, left: number): void {
    if (left === 0 || !this.options.radio.reachable) return this.stop();
    heard.frame.answer?.(packet, heard.port, heard.address);
    this.answering = this.options.clock.set(ANSWER_EVERY_MS, () => this.answer(heard, packet, left - 1));
  }

  private quiet(): void {
    this.listening = false;
    this.options.clock.clear(this.hop);
    this.options.air.off("frame", this.hear);
    this.senders.clear();
    this.late = undefined;
  }

  private tune(channel: number): void {
    this.channel = channel;
    this.channelSinceMs = this.options.clock.now();
    this.senders.clear();
    this.late = undefined;
    this.stay();
  }

  private stay(): void {
    this.hop = this.options.clock.set(HOP_MS, () =>
      this.worthStaying() ? this.stay() : this.tune((this.channel % CHANNELS) + 1),
    );
  }

  private worthStaying(): boolean {
    if (this.transferring()) return true;
    const now = this.options.clock.now();
    const lively = ({ frames, lastMs }: Sender) => frames >= LINGER_FRAMES && now - lastMs < HOP_MS;
    return now - this.channelSinceMs < LINGER_MS && [...this.senders.values()].some(lively);
  }

  private transferring(): boolean {
    const now = this.options.clock.now();
    return [...this.senders.values()].some(
      ({ v1, v2, lastMs }) => (v1?.found || v2?.found) && now - lastMs < SILENCE_MS,
    );
  }

  /** What the antenna gets, before chance takes its share. */
  private onFrame(frame: Frame): void {
    const { air, chance } = this.options;
    if (frame.beacon.channel !== this.channel || frame.beacon.rssi < DEAF_BELOW_DBM) return;
    if (chance() < air.loss) return;
    if (this.late === undefined && chance() < air.reorder) {
      this.late = frame;
      return;
    }
    const { late } = this;
    this.late = undefined;
    this.take(frame);
    if (late && this.listening) this.take(late);
  }

  private take(frame: Frame): void {
    const sender = this.senderOf(frame);
    sender.frames += 1;
    sender.lastMs = this.options.clock.now();
    const heard =
      fromV1(sender.v1?.push(frame.length), frame) ?? this.fromV2(sender.v2?.push(frame.length), frame);
    if (heard) this.end(heard);
  }

  private senderOf(frame: Frame): Sender {
    const name = `${frame.beacon.bssid} ${frame.sender}`;
    const known = this.senders.get(name);
    if (known) return known;
    if (this.senders.size >= MAX_SENDERS) this.senders.delete(this.senders.keys().next().value!);
    const { versions } = this.options;
    const v1 = versions.includes(1) ? new V1Decoder() : undefined;
    const v2 = versions.includes(2) ? new V2Decoder() : undefined;
    const sender: Sender = { frame, v1, v2, frames: 0, lastMs: 0 };
    this.senders.set(name, sender);
    return sender;
  }

  /** Sealed for another key: nothing was heard. */
  private fromV2(transfer: Transfer | undefined, frame: Frame): Heard | undefined {
    const opened = transfer?.open(this.key);
    if (!transfer || !opened) return undefined;
    const { password, reserved } = opened;
    const port = APP_PORTS[transfer.portMark]!;
    const { ssid, sealed: encrypted } = transfer;
    return { ssid, password, reserved, encrypted, frame, port, address: undefined };
  }

  private end(heard: Heard): void {
    this.quiet();
    const ssid = heard.ssid.length > 0 ? heard.ssid : new Uint8Array(Buffer.from(heard.frame.beacon.ssid));
    const { password, reserved, encrypted } = heard;
    // IEEE 802.11-2020 J.4.1: a passphrase's characters.
    if (password.some((byte) => byte < 32 || byte > 126))
      return this.options.post(() => ["smartconfig.failed", MALFORMED]);
    this.heard = { ...heard, ssid };
    const text = Buffer.from(password).toString("latin1");
    this.options.post(() => ["smartconfig.heard", ssid, text, reserved, encrypted]);
  }
}

function fromV1(result: V1Result | undefined, frame: Frame): Heard | undefined {
  return (
    result && {
      ...{ ssid: result.ssid, password: result.password, address: result.address },
      ...{ reserved: undefined, encrypted: false, frame, port: APP_PORTS[0]! },
    }
  );
}
