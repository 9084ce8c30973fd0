// Sends ESP-Touch from this computer until a device answers (EsptouchForAndroid: __EsptouchTask, EspProvisionerImpl).

import { createSocket, type Socket } from "node:dgram";
import { setTimeout as sleep } from "node:timers/promises";
import { BroomeError } from "../error.js";
import { APP_PORTS, DEVICE_ACK_PORT, DEVICE_PORT } from "./credentials.js";
import type { Datagram } from "./schedule.js";

/** Bytes of an answer: one that says how long the credentials were, MAC, IPv4 address. */
const ANSWER_LENGTH = 11;
/** v2's sender confirms an answer with this, so that the device need not repeat it. */
const CONFIRMATION = Uint8Array.of(1);

export interface SendOptions {
  /** Where the datagrams go: a broadcast or multicast address, IPv4. */
  readonly address: string;
  /** What to send, once it is known on which port the answer will come (an index into APP_PORTS). */
  readonly datagrams: (portMark: number) => Iterator<Datagram, unknown>;
  /** v1 knows one port; v2 takes the first that is free. */
  readonly anyPort: boolean;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  /** Datagrams sent so far. */
  onSent?(count: number): void;
}

/** The device that answered. */
export interface Answered {
  readonly mac: string; // aa:bb:cc:dd:ee:ff
  readonly ip: string;
}

/**
 * Resolves to the device that answered first.
 *
 * @throws BroomeError `port-busy` where another program waits for answers, `no-answer` in the end, `interrupted`
 */
export async function send(options: SendOptions): Promise<Answered> {
  const { socket, portMark } = await bindFirst(options.anyPort ? APP_PORTS : APP_PORTS.slice(0, 1));
  let answered: Answered | undefined;
  socket.on("message", (message, { address }) => {
    if (message.length < ANSWER_LENGTH) return;
    answered ??= answerOf(message);
    if (options.anyPort) socket.send(CONFIRMATION, DEVICE_ACK_PORT, address, () => undefined);
  });
  try {
    socket.setBroadcast(true);
    await sendUntil(socket, options, portMark, () => answered !== undefined);
  } finally {
    socket.close();
  }
  if (answered) return answered;
  throw new BroomeError(
    "no-answer",
    `no device answered within ${Math.round(options.timeoutMs / 1000)} s`,
    "ESP-Touch is heard on 2.4 GHz only, and not through every access point: is this computer in that network, and the device waiting? `broome setup` goes by cable.",
  );
}

async function sendUntil(
  socket: Socket,
  { address, datagrams, timeoutMs, signal, onSent }: SendOptions,
  portMark: number,
  done: () => boolean,
): Promise<void> {
  const start = performance.now();
  const sequence = datagrams(portMark);
  let due = start;
  for (let count = 1; !done() && performance.now() - start < timeoutMs; count += 1) {
    if (signal.aborted) throw new BroomeError("interrupted", "interrupted", "Nothing was sent any more.");
    const next = sequence.next();
    if (next.done) return;
    await sendOne(socket, new Uint8Array(next.value.length), address);
    onSent?.(count);
    due += next.value.waitMs;
    await sleep(Math.max(0, due - performance.now()));
  }
}

function sendOne(socket: Socket, payload: Uint8Array, address: string): Promise<void> {
  return new Promise((resolve, reject) =>
    socket.send(payload, DEVICE_PORT, address, (error) =>
      error
        ? reject(
            new BroomeError(
              "network-unreachable",
              `cannot send to ${address}: ${error.message}`,
              "Is this computer in the network? --address names another broadcast address.",
            ),
          )
        : resolve(),
    ),
  );
}

async function bindFirst(ports: readonly number[]): Promise<{ socket: Socket; portMark: number }> {
  for (const [portMark, port] of ports.entries()) {
    const socket = createSocket("udp4");
    try {
      await new Promise<void>((resolve, reject) => {
        socket.once("error", reject);
        socket.bind(port, resolve);
      });
      return { socket, portMark };
    } catch {
      socket.close();
    }
  }
  throw new BroomeError(
    "port-busy",
    `the UDP ports for answers are taken: ${ports.join(", ")}`,
    "Is another `broome smartconfig` running?",
  );
}

function answerOf(message: Uint8Array): Answered {
  const mac = [...message.subarray(1, 7)].map((byte) => byte.toString(16).padStart(2, "0")).join(":");
  return { mac, ip: message.subarray(7, ANSWER_LENGTH).join(".") };
}
