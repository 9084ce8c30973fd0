// Runs firmware modules on the real engine, in an arena as small as an ESP8266's, with Node's crypto and sockets behind its bus.

import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { transformModules } from "../../tools/build/transform.js";
import { ESP8266_CREATION, link, prepareEngine, run } from "../../tools/engine/engine.js";
import type { Exit, Stats, Value } from "../../tools/engine/engine.js";
import { crypto } from "../../host/crypto.js";
import type { Tcp } from "../../firmware/device/types.js";
import { tcp } from "./node-device.js";

export interface XsOptions {
  /** TypeScript of the main module: it imports as firmware/main.ts does, and reports with `bus("log", ...)`. */
  main: string;
  /** Folders of firmware/ that are preloaded. */
  folders: string[];
  /** Bytes of the arena, slots of the stack; default: the ESP8266's. */
  arena?: number;
  stack?: number;
}

export interface XsOutcome {
  /** Arguments of each `bus("log", ...)`, in order. */
  log: Value[][];
  /** Peak of the arena in bytes by phase, as `bus("phase", name)` named them. */
  peaks: Record<string, number>;
  /** Bytecode instructions by phase. */
  meter: Record<string, number>;
  exit: Exit;
}

const OFFSET = 4096;
const DEVICE = ["bus", "tcp", "timer", "crypto", "system"];

/** Runs `main` until it calls `bus("done")`, or aborts. */
export async function runOnXs(options: XsOptions): Promise<XsOutcome> {
  const dir = mkdtempSync(join(tmpdir(), "broome-xs-"));
  const mainFile = join(dir, "main.ts");
  writeFileSync(mainFile, options.main);
  const preloaded = [
    ...options.folders.flatMap((folder) =>
      readdirSync(`firmware/${folder}`)
        .filter((file) => file.endsWith(".ts"))
        .map((file) => ({
          name: `firmware/${folder}/${file.slice(0, -3)}`,
          file: `firmware/${folder}/${file}`,
        })),
    ),
    ...DEVICE.map((name) => ({ name: `device/${name}`, file: `firmware/device/virtual/${name}.ts` })),
  ];
  const modules = await transformModules(process.cwd(), [
    ...preloaded,
    { name: "firmware/main", file: mainFile },
  ]);
  const engine = await prepareEngine({ cacheDir: ".broome" });
  const { archive } = await link(engine, {
    modules,
    preload: preloaded.map(({ name }) => name),
    resources: [],
  });
  const flashFile = join(dir, "flash");
  writeFileSync(flashFile, Buffer.concat([Buffer.alloc(OFFSET, 0xff), archive]));
  try {
    return await drive(engine, flashFile, archive.length, options);
  } finally {
    rmSync(dir, { recursive: true });
  }
}

function drive(
  engine: Awaited<ReturnType<typeof prepareEngine>>,
  flashFile: string,
  size: number,
  { arena = ESP8266_CREATION.staticSize, stack = ESP8266_CREATION.stack }: XsOptions,
): Promise<XsOutcome> {
  const outcome: XsOutcome = { log: [], peaks: {}, meter: {}, exit: { code: null } };
  const events: [string, ...Value[]][] = [];
  const sockets = new Map<number, Tcp>();
  const timers = new Map<number, NodeJS.Timeout>();
  let handles = 0;
  let phase = "boot";
  let metered = 0;
  let done = false;
  return new Promise((resolve) => {
    const next = () => {
      const event = events.shift();
      if (event) machine.event(...event);
    };
    const post = (...event: [string, ...Value[]]) => {
      events.push(event);
      if (machine.idle) next();
    };
    const machine = run(engine, {
      flashFile,
      offset: OFFSET,
      size,
      main: "firmware/main",
      creation: { ...ESP8266_CREATION, staticSize: arena, stack },
      onCall(op, args): Value {
        const [a, b, c, d] = args as never[];
        if (op === "log") return (outcome.log.push(args), undefined);
        if (op === "done") return ((done = true), undefined);
        if (op === "phase") return ((phase = a), undefined);
        if (op === "system.uptime") return performance.now();
        if (op === "clock.now") return Date.now();
        if (op === "random.bytes") return crypto.random(a);
        if (op === "tcp.open") {
          const handle = (handles += 1);
          sockets.set(
            handle,
            tcp({
              address: a,
              port: b,
              onReadable: (n) => post("tcp.readable", handle, n),
              onWritable: (n) => post("tcp.writable", handle, n),
              onError: (why) => post("tcp.error", handle, why),
            }),
          );
          return handle;
        }
        if (op === "tcp.read") return sockets.get(a)!.read(b);
        if (op === "tcp.write") return void sockets.get(a)!.write(b) as undefined;
        if (op === "tcp.close") return void sockets.get(a)!.close() as undefined;
        if (op === "timer.set") {
          const handle = (handles += 1);
          timers.set(
            handle,
            setTimeout(() => post("timer.fired", handle), a),
          );
          return handle;
        }
        if (op === "timer.clear") return void clearTimeout(timers.get(a)) as undefined;
        if (op === "crypto.hmac") return crypto.hmacSha256(a, ...(args.slice(1) as Uint8Array[]));
        if (op === "crypto.sha256") return crypto.sha256(...(args as Uint8Array[]));
        const name = op.slice("crypto.".length) as "aesGcmSeal";
        return crypto[name](a, b, c, d) as Value;
      },
      onIdle(stats: Stats) {
        outcome.peaks[phase] = Math.max(outcome.peaks[phase] ?? 0, stats.arenaPeak);
        outcome.meter[phase] = (outcome.meter[phase] ?? 0) + stats.meter - metered;
        metered = stats.meter;
        machine.resetPeak();
        if (done) machine.kill();
        else next();
      },
      onExit(exit) {
        for (const timer of timers.values()) clearTimeout(timer);
        for (const socket of sockets.values()) socket.close();
        outcome.exit = exit;
        resolve(outcome);
      },
    });
  });
}
