// The list of verbs: names and summaries here, so that help needs no code of theirs; each file is loaded when it is called.

import type { Verb } from "./verb.js";

export interface VerbEntry {
  readonly name: string;
  readonly summary: string;
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
