// Fuzz of ESP-Touch as a chip hears it: lengths of frames of a transfer that is damaged, mixed with others, or noise.

import { dataLengths, GUIDE_CODES } from "../../tools/smartconfig/v1.js";
import { V1Decoder } from "../../tools/smartconfig/v1-decoder.js";
import { roundLengths } from "../../tools/smartconfig/v2.js";
import { V2Decoder } from "../../tools/smartconfig/v2-decoder.js";
import type { Random } from "../support/random.js";
import { must, type Fuzz } from "./fuzz.js";

const MAX_SSID = 32; // bytes (IEEE 802.11 9.4.2.2)
const MAX_PASSWORD = 64;
const MAX_RESERVED = 64;
const MAX_FRAME = 2_400; // bytes, whatever is sent

/** What is sent, with frames that were lost, changed, doubled and foreign, behind marks that are whole. */
function heard(random: Random, marks: readonly number[], lengths: readonly number[]): number[] {
  const overhead = random.below(256);
  const frames = marks.map((length) => length + overhead);
  for (const length of [...lengths, ...lengths]) {
    const fate = random.below(24);
    if (fate === 0) continue;
    if (fate === 1) frames.push(random.below(MAX_FRAME));
    if (fate === 2) frames.push(length + overhead);
    frames.push(fate === 3 ? random.below(MAX_FRAME) : length + overhead + (fate === 4 ? 1 : 0));
  }
  return frames;
}

/** 0 to most, short ones more often. */
function some(random: Random, most: number): Uint8Array {
  return random.bytes(random.below(1 + random.below(1 + random.below(most + 1))));
}

function credentialsOf(random: Random) {
  return {
    ssid: some(random, MAX_SSID),
    password: some(random, MAX_PASSWORD),
    bssid: random.bytes(6),
  };
}

export const touchV1: Fuzz = {
  name: "ESP-Touch v1",
  try(random) {
    const lengths = dataLengths(credentialsOf(random), random.bytes(4));
    const decoder = new V1Decoder();
    for (const length of heard(random, [...GUIDE_CODES, ...GUIDE_CODES], lengths)) {
      const result = decoder.push(length);
      if (!result) continue;
      must(result.ssid.length <= MAX_SSID, "a name that is too long");
      must(result.password.length <= MAX_PASSWORD, "a password that is too long");
      must(result.bssid.length === 6 && result.address.length === 4, "an address of another length");
    }
    must(decoder.found, "the guide codes were whole");
  },
};

export const touchV2: Fuzz = {
  name: "ESP-Touch v2",
  try(random) {
    const key = random.bytes(16);
    const lengths = roundLengths(credentialsOf(random), {
      random: (length) => random.bytes(length),
      reserved: some(random, MAX_RESERVED),
      ...(random.below(2) === 0 ? { key } : {}),
    });
    const decoder = new V2Decoder();
    for (const length of heard(random, lengths.slice(0, 4), lengths)) {
      const transfer = decoder.push(length);
      if (!transfer) continue;
      must(transfer.ssid.length <= MAX_SSID, "a name that is too long");
      for (const tried of [undefined, key, random.bytes(16)]) {
        const opened = transfer.open(tried);
        if (!opened) continue;
        must(opened.password.length <= MAX_PASSWORD, "a password that is too long");
        must(opened.reserved.length <= MAX_RESERVED, "reserved data that is too long");
      }
    }
    must(decoder.found, "the marks were whole");
  },
};
