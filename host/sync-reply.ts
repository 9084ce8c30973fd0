// What the server has to say to a device, within the bytes that the device takes (PROTOCOL, 1: "Reply").

import { encodeUtf8 } from "../firmware/format/utf8.js";
import type { Scalar, SyncReply, SyncRequest } from "../firmware/protocol/sync-message.js";
import { MAX_PINS } from "../firmware/protocol/sync-message.js";
import type { Device, PinValue, Release, SyncOutcome } from "./store/store.js";

export interface Sayings {
  /** Desired pins above the request's revision, ascending. */
  pins: PinValue[];
  config: { n: number; v: Record<string, Scalar> } | undefined;
  offer: { release: Release; down: boolean; again: boolean } | undefined;
}

function bytesOf(reply: SyncReply): number {
  return encodeUtf8(JSON.stringify(reply)).length;
}

/** The reply with `part`, where it fits. */
function withPart(reply: SyncReply, part: Partial<SyncReply>, room: number): SyncReply {
  const longer = { ...reply, ...part };
  return bytesOf(longer) <= room ? longer : reply;
}

/** As many pins as fit, in order: the rest follows when the device has processed these. */
function withPins(reply: SyncReply, pins: PinValue[], room: number): SyncReply {
  let best = reply;
  const wishes: NonNullable<SyncReply["w"]> = [];
  for (const { revision, pin, value } of pins.slice(0, MAX_PINS)) {
    wishes.push([revision, pin, value]);
    const longer = { ...reply, p: revision, w: [...wishes] };
    if (bytesOf(longer) > room) break;
    best = longer;
  }
  return best;
}

function offerOf({ release, down, again }: NonNullable<Sayings["offer"]>): SyncReply["u"] {
  return {
    v: release.version,
    m: release.manifest,
    ...(down && { down: true }),
    ...(again && { again: true }),
  };
}

/**
 * The reply to an approved device, at most `room` bytes of plaintext; what does not fit is left for the next one. The
 * order is that of need: what is durable, the offer, pins, configuration, name, properties.
 */
export function replyTo(
  request: SyncRequest,
  device: Device,
  outcome: Extract<SyncOutcome, { device: Device }>,
  sayings: Sayings,
  time: number,
  room: number,
): SyncReply {
  let reply: SyncReply = { t: time };
  if (outcome.watermark) reply = withPart(reply, { a: outcome.watermark }, room);
  if (request.l?.length && outcome.ledger !== undefined)
    reply = withPart(reply, { la: outcome.ledger }, room);
  if (sayings.offer) reply = withPart(reply, { u: offerOf(sayings.offer) }, room);
  reply = withPins(reply, sayings.pins, room);
  if (sayings.config) reply = withPart(reply, { c: sayings.config }, room);
  if (device.name !== "") reply = withPart(reply, { n: device.name }, room);
  if (request.s === 1 && Object.keys(device.properties).length > 0)
    reply = withPart(reply, { d: device.properties as Record<string, Scalar> }, room);
  return reply;
}
