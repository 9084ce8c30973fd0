// A device in Node: the firmware's protocol modules over real HTTP, with every request kept as it went over the wire.

import { crypto } from "../../host/crypto.js";
import { decodeBase64url } from "../../firmware/protocol/base64url.js";
import { finishJoin, parseJoinKey, startJoin, type DeviceJoin } from "../../firmware/protocol/join.js";
import { deriveKeys, FIRST_GENERATION, openReply, sealRequest } from "../../firmware/protocol/sealed.js";
import {
  decodeReply,
  encodeRequest,
  type SyncReply,
  type SyncRequest,
} from "../../firmware/protocol/sync-message.js";
import { parseServerUrl } from "../../firmware/protocol/server-url.js";

/** What the tests' devices say of themselves. */
export const ABOUT = {
  ...{
    mac: "02:00:00:00:00:01",
    chip: "esp32c3",
    product: "broome-example",
    version: "1.0.0",
    layout: "4mb-2slot",
  },
};

export interface Answer {
  status: number;
  type: string | null;
  body: Uint8Array;
}

export interface Sent {
  bytes: Uint8Array;
  tag: string;
  answer: Answer;
  /** The opened reply, where there is one. */
  reply: SyncReply | undefined;
}

export async function post(
  url: string,
  body: Uint8Array,
  type: string,
  signal?: AbortSignal,
): Promise<Answer> {
  const response = await fetch(url, {
    method: "POST",
    body: new Uint8Array(body),
    headers: { "content-type": type },
    redirect: "manual",
    ...(signal && { signal }),
  });
  return {
    status: response.status,
    type: response.headers.get("content-type"),
    body: new Uint8Array(await response.arrayBuffer()),
  };
}

export class DeviceClient {
  readonly base: string;
  readonly pin: string | undefined;
  id: string;
  key: Uint8Array;
  g = FIRST_GENERATION;
  b = 1;
  s = 0;
  p = 0;
  k = 0;

  constructor(deviceUrl: string, identity: { id: string; key: string | Uint8Array } = { id: "", key: "" }) {
    const { host, port, pin } = parseServerUrl(deviceUrl);
    this.base = `http://${host}:${port}`;
    this.pin = pin;
    this.id = identity.id;
    this.key = typeof identity.key === "string" ? decodeBase64url(identity.key) : identity.key;
  }

  /** M1 as it would be posted. */
  start(
    joinKey: string,
    about: Partial<typeof ABOUT & { pin: string; rssi: number; name: string }> = {},
  ): DeviceJoin {
    const {
      mac,
      chip,
      product,
      version: v,
      rssi,
      pin,
      name,
    } = { ...ABOUT, rssi: -55, pin: this.pin ?? "", name: undefined, ...about };
    return startJoin(crypto, parseJoinKey(joinKey), {
      mac,
      chip,
      product,
      v,
      rssi,
      pin,
      ...(name && { name }),
    });
  }

  /** M1 and M2; the identity is this one's from now on. Returns the six digits and what M3 must carry. */
  async join(joinKey: string, about: Parameters<DeviceClient["start"]>[1] = {}) {
    const join = this.start(joinKey, about);
    const answer = await post(`${this.base}/api/join`, join.body, "application/json");
    if (answer.status !== 200)
      throw new Error(`join: ${answer.status} ${Buffer.from(answer.body).toString()}`);
    const { id, key, code } = finishJoin(crypto, join, answer.body, this.pin);
    this.id = id;
    this.key = key;
    return { code, m1: join.body, m2: answer.body, j: { n: Buffer.from(join.n).toString("base64url") } };
  }

  /** The next request's bytes. */
  seal(fields: Partial<SyncRequest> = {}): { bytes: Uint8Array; tag: string } {
    this.s += 1;
    const { b, s, p } = this;
    const request = { ...{ b, s, p, u: s * 1000, t: 0, w: 0, m: 4096, c: 0 }, ...fields };
    const keys = deriveKeys(crypto, this.key, this.id);
    const message = {
      id: this.id,
      g: this.g,
      b: request.b,
      s: request.s,
      plaintext: encodeRequest(request, 4096),
    };
    return sealRequest(crypto, keys, message);
  }

  send(bytes: Uint8Array, signal?: AbortSignal): Promise<Answer> {
    return post(`${this.base}/api/devices/${this.id}/sync`, bytes, "application/jose", signal);
  }

  open(tag: string, body: Uint8Array): SyncReply {
    const expected = { id: this.id, g: this.g, re: tag };
    return decodeReply(
      openReply(crypto, deriveKeys(crypto, this.key, this.id), expected, Uint8Array.from(body)),
    );
  }

  async sync(fields: Partial<SyncRequest> = {}, signal?: AbortSignal): Promise<Sent> {
    const { bytes, tag } = this.seal(fields);
    const answer = await this.send(bytes, signal);
    return { bytes, tag, answer, reply: answer.status === 200 ? this.open(tag, answer.body) : undefined };
  }

  /** The fields of one more reading. */
  reading(name: string, value: string | number | boolean): NonNullable<SyncRequest["r"]>[number] {
    this.k += 1;
    return [this.b, this.k, this.k * 10, name, value];
  }
}
