// Bluetooth on Linux: the four things that keep a Node program from being a BLE peripheral, in the order in which they bite.
//
// A blocked or powered-down adapter hangs without a word; with bluetoothd running, advertising seems to work and shows the
// system's services instead of the program's.

import { bad, good, type Finding } from "./finding.js";
import type { Probes } from "./probes.js";

const ADAPTERS = "/sys/class/bluetooth";

export interface RadioSwitch {
  readonly index: number;
  readonly name: string; // "hci0"
  readonly type: string; // "Bluetooth"
  readonly soft: boolean;
  readonly hard: boolean;
}

export async function checkBluetooth(probes: Probes, needed: boolean): Promise<Finding[]> {
  if (probes.platform !== "linux") {
    const help = "Only Linux is looked at: elsewhere the system's own settings tell.";
    return [bad("bluetooth-adapter", false, `not looked at on ${probes.platform}`, help)];
  }
  const adapters = probes.list(ADAPTERS).filter((name) => /^hci\d+$/.test(name));
  if (adapters.length === 0)
    return [
      bad(
        "bluetooth-adapter",
        needed,
        `no adapter (${ADAPTERS} is empty)`,
        "Plug one in; for one that is built in, see `dmesg | grep -i bluetooth` for a missing firmware.",
      ),
    ];
  return [
    good("bluetooth-adapter", needed, adapters.join(", ")),
    await checkSwitch(probes, needed),
    checkDaemon(probes, needed),
    await checkPower(probes, needed),
  ];
}

async function checkSwitch(probes: Probes, needed: boolean): Promise<Finding> {
  const name = "bluetooth-rfkill";
  const output = await probes.run("rfkill", ["list"]);
  if (output?.status !== 0)
    return bad(name, needed, "rfkill cannot be asked", "Install it: sudo apt install rfkill.");
  const switches = parseRfkill(output.stdout).filter(({ type }) => type === "Bluetooth");
  const blocked = switches.find(({ soft, hard }) => soft || hard);
  if (blocked === undefined) return good(name, needed, "not blocked");
  if (blocked.hard)
    return bad(
      name,
      needed,
      `${blocked.name} is switched off by hardware`,
      "Turn the radio on: a switch or a key of this computer (Fn with the plane).",
    );
  return bad(
    name,
    needed,
    `${blocked.name} is soft-blocked, as the desktop's switch does it`,
    `Run: sudo rfkill unblock ${blocked.index}`,
  );
}

function checkDaemon(probes: Probes, needed: boolean): Finding {
  const name = "bluetooth-daemon";
  const running = probes
    .list("/proc")
    .some((entry) => /^\d+$/.test(entry) && probes.read(`/proc/${entry}/comm`)?.trim() === "bluetoothd");
  if (!running) return good(name, needed, "bluetoothd does not run: the adapter is free");
  return bad(
    name,
    needed,
    "bluetoothd owns the adapter: a program's own BLE services would not be seen",
    "Run: sudo systemctl stop bluetooth (start it again afterwards), then: sudo btmgmt power on",
  );
}

async function checkPower(probes: Probes, needed: boolean): Promise<Finding> {
  const name = "bluetooth-power";
  const output = await probes.run("btmgmt", ["info"]);
  if (output === undefined)
    return bad(
      name,
      needed,
      "there is no btmgmt to ask (hcitool and hciconfig are deprecated)",
      "Install it: sudo apt install bluez.",
    );
  const controllers = parseControllers(output.stdout);
  if (controllers.length === 0)
    return bad(name, needed, "btmgmt shows no adapter", "Run it as root: sudo btmgmt info");
  const on = controllers.filter(({ powered }) => powered);
  if (on.length > 0) return good(name, needed, `${on.map((one) => one.name).join(", ")} is powered`);
  return bad(name, needed, `${controllers[0]!.name} is powered down`, "Run: sudo btmgmt power on");
}

/** `rfkill list`, of util-linux as of the older rfkill: "2: hci0: Bluetooth", then its two blocks. */
export function parseRfkill(text: string): RadioSwitch[] {
  const heads = [...text.matchAll(/^(\d+): ([^:\n]+): (.+)$/gm)];
  return heads.map((head, i) => {
    const body = text.slice(head.index, heads[i + 1]?.index);
    return {
      index: Number(head[1]),
      name: head[2]!,
      type: head[3]!.trim(),
      soft: /Soft blocked: yes/.test(body),
      hard: /Hard blocked: yes/.test(body),
    };
  });
}

/** `btmgmt info` (BlueZ 5): "hci0:\tPrimary controller", then its settings; "powered" is among the current ones or not. */
export function parseControllers(text: string): { name: string; powered: boolean }[] {
  const heads = [...text.matchAll(/^(hci\d+):\s+(Primary controller|addr )/gm)];
  return heads.map((head, i) => {
    const body = text.slice(head.index, heads[i + 1]?.index);
    const settings = /current settings:(.*)$/m.exec(body)?.[1] ?? "";
    return { name: head[1]!, powered: settings.split(/\s+/).includes("powered") };
  });
}
