// The whole system as a user runs it: `broome serve` and `broome sim` as processes, images built and patched by the verbs.

import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { Admin, type DeviceRow } from "../../tools/demo/admin.js";
import { runVerb, startService, type Service } from "../../tools/demo/child.js";
import { UartLog } from "../../tools/demo/uart-log.js";
import { network, world } from "../../tools/demo/world.js";
import { openPort } from "../../tools/serial/open.js";
import { Conversation } from "../support/conversation.js";

export const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
export { network, world };
/** The same without what is sent by ESP-Touch on this computer. */
export const deaf = { ...world, air: { loopback: false } };

const TIMEOUT_MS = 90_000;

/** A server and what its owner knows. */
export interface Server {
  service: Service;
  admin: Admin;
  deviceUrl: string;
  joinKey: string;
}

export class Rig {
  readonly folder = mkdtempSync(join(tmpdir(), "broome-system-"));
  #services: Service[] = [];
  #logs: UartLog[] = [];
  #timers: NodeJS.Timeout[] = [];

  path(name: string): string {
    return join(this.folder, name);
  }

  get environment(): Record<string, string> {
    return { BROOME_KEYS: this.path("keys") };
  }

  verb(...argv: string[]): Promise<Record<string, unknown>> {
    return runVerb(root, argv, this.path("verbs.log"), this.environment);
  }

  /** A verb that talks to the server, as its admin. */
  asAdmin(server: Server, ...argv: string[]): Promise<Record<string, unknown>> {
    const environment = { ...this.environment, BROOME_ADMIN_TOKEN: server.admin.token };
    return runVerb(root, [...argv, "--server", server.admin.url], this.path("verbs.log"), environment);
  }

  /** Builds a version with this rig's keys; gives its folder. */
  async build(version: string, extra: string[] = []): Promise<string> {
    mkdirSync(this.path("keys"), { recursive: true });
    const out = this.path(version);
    await this.verb("build", "--version", version, "--out", out, ...extra);
    return out;
  }

  async serve(name = "server", extra: string[] = ["--port", "0"]): Promise<Server> {
    const service = await startService(
      root,
      ["serve", ...extra, "--admin-port", "0", "--db", this.path(`${name}.db`)],
      this.path(`${name}.log`),
    );
    this.#services.push(service);
    const { url, deviceUrl, adminTokenFile } = service.first as Record<string, string>;
    const admin = new Admin(url!, readFileSync(adminTokenFile!, "utf8").trim());
    const { key } = await admin.call<{ key: string }>("POST", "/api/join-keys", { label: "test" });
    return { service, admin, deviceUrl: deviceUrl!, joinKey: key };
  }

  /** Patches a built image; gives the file. */
  async patch(built: string, values: Record<string, unknown>): Promise<string> {
    const answers = this.path(`answers-${randomBytes(4).toString("hex")}.json`);
    writeFileSync(answers, JSON.stringify(values), { mode: 0o600 });
    const out = join(built, `patched-${randomBytes(4).toString("hex")}.bin`);
    await this.verb("patch", join(built, "app.bin"), "-o", out, "--from", answers);
    return out;
  }

  /** What an owner would put in for this server. */
  values(server: Server, more: Record<string, unknown> = {}): Record<string, unknown> {
    return {
      "wifi.ssid": network.ssid,
      "wifi.password": network.password,
      "server.url": server.deviceUrl,
      "join.key": server.joinKey,
      "trial.uptimeMs": 1500,
      "trial.deadlineMs": 5000,
      ...more,
    };
  }

  /**
   * Switches a board on whose flash is the file of that name; started again with the same name, it goes on from there. Unless
   * told otherwise it is deaf to whoever sends ESP-Touch on this computer: another test file may.
   */
  async board(name: string, extra: string[] = [], air: object = deaf): Promise<Service> {
    const worldFile = this.path(`${name}.world.json`);
    writeFileSync(worldFile, JSON.stringify(air));
    const service = await startService(
      root,
      ["sim", "--flash", this.path(`${name}.flash`), "--world", worldFile, ...extra],
      this.path(`${name}.log`),
    );
    this.#services.push(service);
    return service;
  }

  /** The three parts of a build, with this app. */
  flashArguments(built: string, app: string): string[] {
    return [
      "0x8000",
      join(built, "partition-table.bin"),
      "0xe000",
      join(built, "ota_data_initial.bin"),
      "0x10000",
      app,
    ];
  }

  flash(
    board: Service,
    built: string,
    app: string,
    more: readonly string[] = [],
  ): Promise<Record<string, unknown>> {
    return this.verb("-p", board.first.port!, ...more, "flash", ...this.flashArguments(built, app));
  }

  /** Listens to a board from now on; `reset` presses its button first. */
  async listen(board: Service, reset: boolean): Promise<UartLog> {
    const log = new UartLog();
    this.#logs.push(log);
    log.attach(await openPort(board.first.port!, { baudRate: 115200 }));
    if (reset) {
      await log.port.setLines({ dtr: false, rts: true });
      await new Promise((resolve) => setTimeout(resolve, 20));
      await log.port.setLines({ dtr: false, rts: false });
    }
    return log;
  }

  /** Somebody at a board's port that is listened to already; the log goes on. */
  talk(log: UartLog): Conversation {
    const person = new Conversation((keys) => log.port.write(Buffer.from(keys)));
    log.port.listen((bytes) => {
      person.hear(bytes);
      log.take(bytes);
    });
    return person;
  }

  /** Reads what a board said from its log file: no client on its port keeps a fast clock waiting. */
  follow(name: string): UartLog {
    const log = new UartLog();
    let at = 0;
    const timer = setInterval(() => {
      if (!existsSync(this.path(name))) return;
      const bytes = readFileSync(this.path(name));
      if (bytes.length > at) log.take(bytes.subarray(at));
      at = bytes.length;
    }, 20);
    this.#timers.push(timer);
    return log;
  }

  /** Waits for a pending device and approves it by its code. */
  async approve(server: Server, log: UartLog): Promise<string> {
    const [, code] = await log.waitFor(/join: code=(\d{6}) state=pending/, TIMEOUT_MS);
    const rows = await server.admin.poll<DeviceRow[]>(
      "/api/devices?state=pending",
      "the pending device",
      TIMEOUT_MS,
      (all) => all.some((row) => row.code === code),
    );
    const { deviceid } = rows.find((row) => row.code === code)!;
    await server.admin.call("POST", `/api/devices/${deviceid}/approve`, { code });
    await log.waitFor(/join: .*state=approved/, TIMEOUT_MS);
    return deviceid;
  }

  /** The names of the device's readings so far, once they hold `wanted`. */
  async readings(server: Server, deviceid: string, wanted: (names: string[]) => boolean): Promise<string[]> {
    const rows = await server.admin.poll<{ name: string }[]>(
      `/api/devices/${deviceid}/readings?limit=1000`,
      "readings",
      TIMEOUT_MS,
      (all) => wanted(all.map(({ name }) => name)),
    );
    return rows.map(({ name }) => name);
  }

  /** Switches everything off that runs; files stay. */
  async stop(): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer);
    for (const log of this.#logs) await log.detach();
    await Promise.all(this.#services.map((service) => service.end()));
    this.#timers = [];
    this.#logs = [];
    this.#services = [];
  }

  async end(): Promise<void> {
    await this.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }
}
