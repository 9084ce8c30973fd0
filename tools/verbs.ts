// The list of verbs: names and summaries here, so that help needs no code of theirs; each file is loaded when it is called.

import type { Verb } from "./verb.js";

export interface VerbEntry {
  readonly name: string;
  readonly summary: string;
  /** Other names: esptool's. */
  readonly aliases?: readonly string[];
  /** May stand in a chain: `broome build patch flash monitor`. */
  readonly chains?: true;
  load(): Promise<{ verb: Verb }>;
}

export const verbs: readonly VerbEntry[] = [
  {
    name: "demo",
    summary: "the main job, end to end, on a virtual board",
    load: () => import("./commands/demo.js"),
  },
  {
    name: "build",
    summary: "firmware/ to an image for a chip",
    chains: true,
    load: () => import("./commands/build.js"),
  },
  {
    name: "patch",
    summary: "put credentials and settings into a finished image",
    chains: true,
    load: () => import("./commands/patch.js"),
  },
  {
    name: "flash",
    aliases: ["write-flash"],
    summary: "write an image to a board over serial",
    chains: true,
    load: () => import("./commands/flash.js"),
  },
  {
    name: "monitor",
    summary: "show what a board says, type to it (Ctrl-] leaves)",
    chains: true,
    load: () => import("./commands/monitor.js"),
  },
  {
    name: "smartconfig",
    summary: "give a device its Wi-Fi through the air (ESP-Touch)",
    load: () => import("./commands/smartconfig.js"),
  },
  {
    name: "read-flash",
    summary: "what a board's flash holds, to a file",
    load: () => import("./commands/read-flash.js"),
  },
  {
    name: "verify-flash",
    summary: "does a board's flash hold these files?",
    load: () => import("./commands/verify-flash.js"),
  },
  {
    name: "erase-flash",
    summary: "erase the whole flash: the board forgets everything",
    load: () => import("./commands/erase-flash.js"),
  },
  {
    name: "erase-region",
    summary: "erase a stretch of flash",
    load: () => import("./commands/erase-region.js"),
  },
  {
    name: "merge-bin",
    summary: "several files as one, to be written at one offset",
    load: () => import("./commands/merge-bin.js"),
  },
  {
    name: "flash-id",
    summary: "which flash chip the board has, and its size",
    load: () => import("./commands/flash-id.js"),
  },
  { name: "chip-id", summary: "who the chip is", load: () => import("./commands/chip-id.js") },
  {
    name: "read-mac",
    summary: "the board's MAC address",
    load: () => import("./commands/read-mac.js"),
  },
  {
    name: "setup",
    summary: "bring a board online over its serial port",
    load: () => import("./commands/setup.js"),
  },
  {
    name: "dashboards",
    summary: "put names into dashboard templates (.json, .h), in another folder",
    load: () => import("./commands/dashboards.js"),
  },
  {
    name: "image-info",
    summary: "what an image file holds",
    load: () => import("./commands/image-info.js"),
  },
  {
    name: "sim",
    summary: "a virtual board that real tools take for a board",
    load: () => import("./commands/sim.js"),
  },
  {
    name: "serve",
    summary: "the server: joins, telemetry, pins, updates, page",
    load: () => import("./commands/serve.js"),
  },
  {
    name: "keys",
    summary: "make and list the keys that sign updates",
    load: () => import("./commands/keys.js"),
  },
  {
    name: "join-keys",
    summary: "make, list and revoke keys that let devices join",
    load: () => import("./commands/join-keys.js"),
  },
  {
    name: "release",
    summary: "publish, list and withdraw versions",
    load: () => import("./commands/release.js"),
  },
  { name: "ota", summary: "make a device update itself", load: () => import("./commands/ota.js") },
  {
    name: "doctor",
    summary: "what this computer has for the work, and what it lacks",
    load: () => import("./commands/doctor.js"),
  },
  {
    name: "engine",
    summary: "fetch and build the JavaScript engine now",
    load: () => import("./commands/engine.js"),
  },
];
