// Improv over serial on the device (improv-wifi.com/serial): state, send Wi-Fi, device info, scan, hostname, name, network state.
// It answers from the start on, whether the device is online or not.

import type { Address, ScanList } from "../device/types.js";
import { decodeUtf8, encodeUtf8 } from "../format/utf8.js";
import {
  Command,
  encodeByte,
  encodeResult,
  FrameType,
  ImprovError,
  ImprovState,
  NetworkFlag,
  parseCredentials,
  parseRpc,
} from "../protocol/improv.js";
import type { Rpc } from "../protocol/improv.js";
import { printable } from "../protocol/log-line.js";
import type { Base } from "../store/base.js";
import { hostName, isHostName, isDeviceName, deviceName, setNames } from "./names.js";
import { isFirstOfItsName } from "./heard.js";
import { networkFault } from "./networks.js";
import type { Network } from "./networks.js";
import { serverPage } from "./server-page.js";
import type { Radio, StepName, Watcher } from "./step.js";
import type { FrameListener, Terminal } from "./terminal.js";

export class Improv implements Watcher, FrameListener {
  private readonly base: Base;
  private readonly terminal: Terminal;
  private readonly radio: Radio;
  private waiting: Uint8Array | undefined; // data of an RPC that is to be answered
  private trying = false;
  private used = false; // somebody speaks Improv: changes are told

  constructor(base: Base, terminal: Terminal, radio: Radio) {
    this.base = base;
    this.terminal = terminal;
    this.radio = radio;
    terminal.serveFrames(this);
  }

  onWaiting(): void {
    // as before: not online
  }

  onLost(): void {
    if (this.used && !this.trying) this.tellState();
  }

  onOnline(_address: Address, from: StepName): void {
    if (this.used && from !== "improv") this.tellState();
  }

  /** One request at a time, as the protocol has it: what comes before the last one was begun is lost. */
  onFrame(type: number, data?: Uint8Array): void {
    if (data && type !== FrameType.rpc) return; // a device's frames, ours by echo perhaps
    if (this.waiting) return;
    this.waiting = data ?? new Uint8Array(0);
    this.base.device.timer.set(() => this.answer(), 0); // on an empty stack
  }

  private answer(): void {
    const rpc = parseRpc(this.waiting!);
    this.waiting = undefined;
    if (!rpc) return this.tellError(ImprovError.badPacket);
    this.used = true;
    switch (rpc.command) {
      case Command.sendWifi:
        return this.sendWifi(rpc.payload);
      case Command.state:
        this.tellState();
        return this.radio.online ? this.tell(Command.state, this.urls()) : undefined;
      case Command.info:
        return this.tell(Command.info, this.info());
      case Command.scan:
        return this.radio.scan((found) => this.tellNetworks(found));
      case Command.hostname:
      case Command.name:
        return this.name(rpc);
      case Command.network: {
        const flags = NetworkFlag.wifi | (this.radio.online ? NetworkFlag.online : 0);
        return this.tell(Command.network, [String(flags), ...this.urls()]);
      }
      default:
        return this.tellError(ImprovError.unknownCommand);
    }
  }

  /** On trial: only what led to an address is stored. */
  private sendWifi(payload: Uint8Array): void {
    const network = readNetwork(payload);
    if (!network || networkFault(network)) return this.tellError(ImprovError.badPacket);
    if (this.trying) return this.tellError(ImprovError.unableToConnect);
    this.trying = true;
    this.tellError(ImprovError.none);
    this.tellState();
    this.radio.request({
      network,
      from: "improv",
      done: ({ address }) => {
        this.trying = false;
        if (!address) this.tellError(ImprovError.unableToConnect);
        this.tellState();
        if (address) this.tell(Command.sendWifi, this.urls());
      },
    });
  }

  private name({ command, payload }: Rpc): void {
    const { base } = this;
    const isHost = command === Command.hostname;
    if (payload.length > 0) {
      const text = readText(payload);
      if (isHost && !isHostName(text)) return this.tellError(ImprovError.badHostname);
      if (!isHost && !isDeviceName(text)) return this.tellError(ImprovError.badPacket);
      try {
        setNames(base.store, isHost ? { host: text } : { name: text });
      } catch {
        return this.tellError(ImprovError.unknown);
      }
    }
    this.tell(command, [isHost ? hostName(base) : deviceName(base)]);
  }

  private info(): string[] {
    const { product, version, chip } = this.base.config;
    return [product, version, chipFamily(chip), deviceName(this.base)];
  }

  private urls(): string[] {
    const url = this.radio.online ? serverPage(this.base) : undefined;
    return url === undefined ? [] : [url];
  }

  /** Each access point name once; an empty answer ends the list. */
  private tellNetworks(found: ScanList | undefined): void {
    for (let place = 0; place < (found?.length ?? 0); place += 1) {
      if (!isFirstOfItsName(found!, place)) continue;
      const rssi = encodeUtf8(String(found!.rssi(place)));
      const lock = encodeUtf8(found!.security(place) === "open" ? "NO" : "YES");
      const result = encodeResult(Command.scan, [found!.ssid(place), rssi, lock]);
      this.terminal.interject(result);
    }
    this.tell(Command.scan, []);
  }

  private tellState(): void {
    const { authorized, provisioning, provisioned } = ImprovState;
    const state = this.trying ? provisioning : this.radio.online ? provisioned : authorized;
    this.terminal.interject(encodeByte(FrameType.state, state));
  }

  private tellError(error: number): void {
    this.terminal.interject(encodeByte(FrameType.error, error));
  }

  private tell(command: number, strings: readonly string[]): void {
    this.terminal.interject(encodeResult(command, strings.map(encodeUtf8)));
  }
}

function readNetwork(payload: Uint8Array): Network | undefined {
  const credentials = parseCredentials(payload);
  if (!credentials) return undefined;
  const password = readText(credentials.password);
  return password === undefined ? undefined : { ssid: credentials.ssid, password };
}

/** Undefined where it is no UTF-8, or would steer a terminal. */
function readText(bytes: Uint8Array): string | undefined {
  try {
    const text = decodeUtf8(bytes);
    return text === printable(text) ? text : undefined;
  } catch {
    return undefined;
  }
}

/** "ESP32-C3", as the vendor and ESP Web Tools write what our chips' names have in lower case. */
function chipFamily(chip: string): string {
  const variant = chip.slice("esp32".length);
  return chip.startsWith("esp32") && variant !== "" ? `ESP32-${variant.toUpperCase()}` : chip.toUpperCase();
}
