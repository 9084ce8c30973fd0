// `broome doctor` on recorded answers: each thing in order and out of order, and when that is a failure.

import test from "ava";
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseControllers, parseRfkill } from "../../../tools/doctor/bluetooth.js";
import { examine, missing, type Wanted } from "../../../tools/doctor/doctor.js";
import type { Finding } from "../../../tools/doctor/finding.js";
import type { Output, Probes } from "../../../tools/doctor/probes.js";
import { parseTypeScriptVersion } from "../../../tools/doctor/sdk.js";
import { parseGroups } from "../../../tools/doctor/serial.js";
import { parseExpectedIdf } from "../../../tools/doctor/toolchains.js";
import { sdkChips } from "../../../tools/sdk/target.js";
import type { ListedPort } from "../../../tools/serial/list.js";

const vectors = join(dirname(fileURLToPath(import.meta.url)), "../../vectors/doctor");
const recorded = (name: string) => readFileSync(join(vectors, name), "utf8");

interface Machine {
  platform?: string;
  /** Of the project; null: not installed. */
  typescript?: string | null;
  nodeVersion?: string;
  env?: Record<string, string>;
  user?: Probes["user"];
  /** Command line to what it said; a text = exit 0, undefined = no such program. */
  programs?: Record<string, string | Partial<Output> | undefined>;
  /** Files by path; a folder's listing follows from them. */
  files?: Record<string, string>;
  access?: Record<string, { allowed: boolean; gid: number }>;
  ports?: ListedPort[];
}

const DIALOUT = 20;
const usb: ListedPort = {
  ...{ path: "/dev/ttyUSB0", description: "Silicon Labs CP2102 USB to UART Bridge Controller" },
  ...{ vendorId: 0x10c4, productId: 0xea60 },
};

/** A machine on which everything is in order, with a board plugged in. */
const complete = {
  platform: "linux",
  nodeVersion: "20.20.1",
  typescript: "6.0.3" as string | null,
  env: {
    PATH: "/usr/bin:/opt/idf/bin",
    MODDABLE: "/opt/moddable",
    IDF_PATH: "/opt/esp-idf",
    ESP_BASE: "/home/addie/esp",
  } as Record<string, string>,
  user: { name: "addie", uid: 1000, groups: [1000, DIALOUT] },
  programs: {
    "cc --version": recorded("cc-version.txt"),
    "cc -m32 -x c - -o /dev/null -lm": "",
    "tsc --version": "Version 6.0.3\n",
    "pkg-config --modversion glib-2.0": "2.74.6\n",
    "git -C /opt/esp-idf describe --always --abbrev=0": "v6.0\n",
    "rfkill list": recorded("rfkill-free.txt"),
    "btmgmt info": recorded("btmgmt-powered.txt"),
  } as NonNullable<Machine["programs"]>,
  files: {
    "/etc/group": recorded("group.txt"),
    "/run/udev/control": "",
    "/opt/moddable/tools/VERSION": "8.2.3\n",
    "/opt/moddable/build/bin/lin/release/mcconfig": "",
    "/opt/moddable/build/devices/esp32/manifest.json": '{ "build": { "EXPECTED_ESP_IDF": "v6.0", /* ... */',
    "/opt/esp-idf/export.sh": "",
    "/opt/idf/bin/idf.py": "",
    "/opt/idf/bin/xtensa-esp32-elf-gcc": "",
    "/opt/idf/bin/riscv32-esp-elf-gcc": "",
    "/home/addie/esp/esp8266-2.3.0/package.json": "",
    "/home/addie/esp/ESP8266_RTOS_SDK/components/esp8266/firmware/boot_v1.7.bin": "",
    "/home/addie/esp/toolchain/Linux/bin": "",
    "/sys/class/bluetooth/hci0": "",
    "/proc/1/comm": "systemd\n",
    "/proc/812/comm": "sshd\n",
  } as Record<string, string>,
  access: { "/dev/ttyUSB0": { allowed: true, gid: DIALOUT } } as NonNullable<Machine["access"]>,
  ports: [usb],
};

function probesOf(machine: Machine): Probes {
  const merged = { ...complete, ...machine };
  const files = { ...complete.files, ...machine.files };
  const programs = { ...complete.programs, ...machine.programs };
  const present = Object.entries(files)
    .filter(([, text]) => text !== "GONE")
    .map(([path]) => path);
  return {
    ...{ platform: merged.platform, nodeVersion: merged.nodeVersion, user: merged.user, home: "/home/addie" },
    typescript: merged.typescript ?? undefined,
    env: { ...complete.env, ...machine.env },
    async run(command, args) {
      const said = programs[[command, ...args].join(" ")];
      if (said === undefined) return undefined;
      return { status: 0, stdout: "", stderr: "", ...(typeof said === "string" ? { stdout: said } : said) };
    },
    read: (path) => (present.includes(path) ? files[path] : undefined),
    list: (path) => [
      ...new Set(
        present
          .filter((one) => one.startsWith(`${path}/`))
          .map((one) => one.slice(path.length + 1).split("/")[0]!),
      ),
    ],
    exists: (path) => present.some((one) => one === path || one.startsWith(`${path}/`)),
    access: (path) => merged.access[path],
    ports: async () => merged.ports,
  };
}

/** The shell's answer to which tools it lacks after export.sh, as tools/doctor/toolchains.ts asks. */
const EXPORTED =
  'bash -c . "$1" 1>&2 || exit 1; shift; for each; do command -v "$each" >/dev/null || echo "$each"; done ' +
  "bash /opt/esp-idf/export.sh idf.py xtensa-esp32-elf-gcc";

const examined = (machine: Machine, wanted: Wanted = {}) => examine(probesOf(machine), wanted);

function named(findings: readonly Finding[], name: string): Finding {
  const found = findings.find((finding) => finding.name === name);
  if (!found) throw new Error(`no finding ${name} among ${findings.map((one) => one.name).join(", ")}`);
  return found;
}

test("a machine in order: everything is ok, with what was found, and nothing to do", async (t) => {
  const findings = await examined({});
  t.deepEqual(
    findings.filter(({ ok }) => !ok),
    [],
  );
  t.true(findings.every(({ found, help }) => found.length > 0 && help === ""));
  t.deepEqual(
    findings.map(({ name }) => name),
    [
      ...["node", "compiler", "compiler-32-bit", "ports", "serial-permission", "udev", "sdk", "sdk-tools"],
      ...["typescript", "tsc", "esp-idf", "esp-idf-tools", "esp8266-tools", "lin-tools"],
      ...["bluetooth-adapter", "bluetooth-rfkill", "bluetooth-daemon", "bluetooth-power"],
    ],
  );
  t.regex(named(findings, "compiler").found, /12\.2\.0/);
  t.is(
    named(findings, "ports").found,
    "/dev/ttyUSB0 Silicon Labs CP2102 USB to UART Bridge Controller (10c4:ea60)",
  );
});

/** What is wrong, the finding that tells, the words it must use, and its help. */
const troubles: [title: string, machine: Machine, name: string, found: RegExp, help: RegExp][] = [
  ["an old Node", { nodeVersion: "20.16.0" }, "node", /20\.16\.0/, /20\.17/],
  [
    "no compiler",
    { programs: { "cc --version": undefined } },
    "compiler",
    /cc, gcc, clang/,
    /Install one with/,
  ],
  [
    "a compiler that CC names and that is not there",
    { env: { CC: "icc" } },
    "compiler",
    /none of icc/,
    /Install one/,
  ],
  [
    "no 32-bit libraries",
    { programs: { "cc -m32 -x c - -o /dev/null -lm": { status: 1 } } },
    "compiler-32-bit",
    /not the chip's/,
    /Install one with/,
  ],
  ["no board", { ports: [] }, "ports", /no serial port/, /broome sim/],
  [
    "a port of a group that the user is not in",
    {
      user: { name: "addie", uid: 1000, groups: [1000] },
      access: { "/dev/ttyUSB0": { allowed: false, gid: DIALOUT } },
    },
    "serial-permission",
    /addie may not open \/dev\/ttyUSB0: it belongs to group dialout/,
    /usermod -a -G dialout/,
  ],
  [
    "a group that the user joined without logging in again",
    {
      user: { name: "addie", uid: 1000, groups: [1000] },
      access: { "/dev/ttyUSB0": { allowed: false, gid: DIALOUT } },
      files: { "/etc/group": "root:x:0:\ndialout:x:20:bret,addie\n" },
    },
    "serial-permission",
    /may not open/,
    /added to dialout already: log out/,
  ],
  [
    "a port that udev gave to nobody",
    { access: { "/dev/ttyUSB0": { allowed: false, gid: 0 } } },
    "serial-permission",
    /group root/,
    /udev/,
  ],
  [
    "no board, and a user outside of the group",
    { ports: [], user: { name: "addie", uid: 1000, groups: [1000] } },
    "serial-permission",
    /addie is not in group dialout/,
    /usermod/,
  ],
  [
    "no board on Arch, where the group is uucp",
    {
      ports: [],
      user: { name: "addie", uid: 1000, groups: [1000] },
      files: { "/etc/group": "root:x:0:\nuucp:x:986:\n" },
    },
    "serial-permission",
    /not in group uucp/,
    /-G uucp/,
  ],
  ["a container", { files: { "/run/udev/control": "GONE" } }, "udev", /does not run/, /--device/],
  [
    "brltty, which takes adapters",
    { files: { "/usr/lib/udev/rules.d/85-brltty.rules": 'ENV{PRODUCT}=="1a86/7523/*", ...' } },
    "udev",
    /85-brltty\.rules: brltty takes/,
    /apt remove brltty/,
  ],
  [
    "no SDK",
    { env: { MODDABLE: "" } },
    "sdk",
    /no Moddable SDK in \S+\/\.local\/share\/moddable/,
    /xs-dev setup/,
  ],
  [
    "MODDABLE pointing elsewhere",
    { env: { MODDABLE: "/home/addie" } },
    "sdk",
    /no Moddable SDK in \/home\/addie$/,
    /set MODDABLE/,
  ],
  [
    "an old SDK",
    { files: { "/opt/moddable/tools/VERSION": "8.1.1" } },
    "sdk",
    /8\.1\.1 .*built with 8\.2\.3/,
    /xs-dev update --release 8\.2\.3/,
  ],
  [
    "an SDK whose tools are not built",
    { files: { "/opt/moddable/build/bin/lin/release/mcconfig": "GONE" } },
    "sdk-tools",
    /not built/,
    /make -C \/opt\/moddable/,
  ],
  ["packages that are not installed", { typescript: null }, "typescript", /not among the packages/, /npm ci/],
  ["a project with TypeScript 5", { typescript: "5.9.3" }, "typescript", /5\.9\.3.*es2025/, /npm ci/],
  [
    "no tsc",
    { programs: { "tsc --version": undefined } },
    "tsc",
    /no tsc on the path/,
    /Only mcconfig.*npm install --global typescript@6/,
  ],
  [
    "TypeScript 5 on the path",
    { programs: { "tsc --version": "Version 5.9.3\n" } },
    "tsc",
    /5\.9\.3.*es2025/,
    /typescript@6/,
  ],
  [
    "another tsc",
    { programs: { "tsc --version": "This is not the tsc command you are looking for\n" } },
    "tsc",
    /does not answer/,
    /typescript@6/,
  ],
  [
    "no ESP-IDF",
    { env: { IDF_PATH: "" } },
    "esp-idf",
    /no \/home\/addie\/\.local\/share\/esp32\/esp-idf/,
    /xs-dev setup --device esp32/,
  ],
  [
    "an ESP-IDF that the SDK refuses",
    { programs: { "git -C /opt/esp-idf describe --always --abbrev=0": "v5.4\n" } },
    "esp-idf",
    /v5\.4.*wants v6\.0/,
    /clone -b v6\.0/,
  ],
  [
    "an ESP-IDF without its history",
    { programs: { "git -C /opt/esp-idf describe --always --abbrev=0": { status: 128 } } },
    "esp-idf",
    /git cannot tell/,
    /clone -b/,
  ],
  [
    "an ESP-IDF that was not installed",
    { env: { PATH: "/usr/bin" }, programs: { [EXPORTED]: { status: 1 } } },
    "esp-idf-tools",
    /export\.sh does not work here/,
    /\/opt\/esp-idf\/install\.sh/,
  ],
  [
    "an ESP-IDF installed for other chips",
    { env: { PATH: "/usr/bin" }, programs: { [EXPORTED]: "xtensa-esp32-elf-gcc\n" } },
    "esp-idf-tools",
    /nor by export\.sh: xtensa-esp32-elf-gcc$/,
    /install\.sh/,
  ],
  [
    "no ESP8266 tools",
    { env: { ESP_BASE: "" } },
    "esp8266-tools",
    /no \/home\/addie\/\.local\/share\/esp\/toolchain/,
    /--device esp8266/,
  ],
  [
    "half of the ESP8266 tools",
    { files: { "/home/addie/esp/toolchain/Linux/bin": "GONE" } },
    "esp8266-tools",
    /no \/home\/addie\/esp\/toolchain$/,
    /--device esp8266/,
  ],
  [
    "no headers of GLib",
    { programs: { "pkg-config --modversion glib-2.0": { status: 1 } } },
    "lin-tools",
    /knows no glib-2\.0/,
    /libglib2\.0-dev/,
  ],
  [
    "no Bluetooth adapter",
    { files: { "/sys/class/bluetooth/hci0": "GONE" } },
    "bluetooth-adapter",
    /no adapter/,
    /Plug one in/,
  ],
  [
    "a soft-blocked adapter",
    { programs: { "rfkill list": recorded("rfkill-blocked.txt") } },
    "bluetooth-rfkill",
    /hci0 is soft-blocked/,
    /rfkill unblock 2/,
  ],
  [
    "an adapter that is switched off",
    {
      programs: {
        "rfkill list": recorded("rfkill-free.txt").replace(/(hci0[^]*Hard blocked: )no/, "$1yes"),
      },
    },
    "bluetooth-rfkill",
    /by hardware/,
    /switch/,
  ],
  [
    "no rfkill device",
    {
      programs: {
        "rfkill list": {
          status: 1,
          stderr: "rfkill: cannot open /dev/rfkill: No such file or directory\n",
        },
      },
    },
    "bluetooth-rfkill",
    /cannot be asked/,
    /Install/,
  ],
  [
    "bluetoothd, which owns the adapter",
    { files: { "/proc/645/comm": "bluetoothd\n" } },
    "bluetooth-daemon",
    /owns the adapter/,
    /systemctl stop bluetooth/,
  ],
  [
    "an adapter without power",
    {
      programs: {
        "btmgmt info": recorded("btmgmt-powered.txt").replace(
          "current settings: powered",
          "current settings:",
        ),
      },
    },
    "bluetooth-power",
    /hci0 is powered down/,
    /btmgmt power on/,
  ],
  ["no btmgmt", { programs: { "btmgmt info": undefined } }, "bluetooth-power", /no btmgmt/, /bluez/],
  [
    "a btmgmt that may not look",
    { programs: { "btmgmt info": { status: 1, stdout: "Unable to open mgmt_socket\n" } } },
    "bluetooth-power",
    /shows no adapter/,
    /as root/,
  ],
];
for (const [title, machine, name, found, help] of troubles)
  test(`${title}: ${name}`, async (t) => {
    const finding = named(await examined(machine), name);
    t.like(finding, { ok: false });
    t.regex(finding.found, found);
    t.regex(finding.help, help);
    const others = (await examined(machine)).filter(({ ok }) => !ok).map((one) => one.name);
    t.true(others.includes(name) && others.length <= 2, `also not in order: ${others.join(", ")}`);
  });

test("without a wish only Node and the compiler are needed; the rest is a note", async (t) => {
  const bare: Machine = {
    env: { MODDABLE: "", IDF_PATH: "", ESP_BASE: "" },
    typescript: null,
    programs: {
      "tsc --version": undefined,
      "pkg-config --modversion glib-2.0": undefined,
      "cc -m32 -x c - -o /dev/null -lm": { status: 1 },
    },
    files: { "/sys/class/bluetooth/hci0": "GONE", "/run/udev/control": "GONE" },
    ports: [],
    user: { name: "addie", uid: 1000, groups: [] },
  };
  const findings = await examined(bare);
  t.deepEqual(missing(findings), []);
  t.deepEqual(
    findings.filter(({ needed }) => needed).map(({ name }) => name),
    ["node", "compiler"],
  );
  t.deepEqual(
    missing(await examined({ ...bare, programs: { "cc --version": undefined } })).map(({ name }) => name),
    ["compiler"],
  );
});

const needs: [Wanted, string[]][] = [
  [{ chip: "esp32" }, ["sdk", "sdk-tools", "typescript", "esp-idf", "esp-idf-tools"]],
  [{ chip: "esp32c3" }, ["sdk", "sdk-tools", "typescript", "esp-idf", "esp-idf-tools"]],
  [{ chip: "esp8266" }, ["sdk", "sdk-tools", "typescript", "esp8266-tools"]],
  [{ chip: "lin" }, ["sdk", "sdk-tools", "typescript", "lin-tools"]],
  [{ chip: "ESP32-C3" }, ["sdk", "sdk-tools", "typescript", "esp-idf", "esp-idf-tools"]],
  [{ port: "/dev/ttyUSB0" }, ["ports", "serial-permission"]],
  [{ port: "rfc2217://127.0.0.1:4000" }, []],
  [{ bluetooth: true }, ["bluetooth-adapter", "bluetooth-rfkill", "bluetooth-daemon", "bluetooth-power"]],
];
for (const [wanted, names] of needs)
  test(`${JSON.stringify(wanted)} needs ${names.join(", ") || "nothing more"}`, async (t) => {
    const findings = await examined({}, wanted);
    t.deepEqual(
      findings.filter(({ needed }) => needed).map(({ name }) => name),
      ["node", "compiler", ...names],
    );
    t.deepEqual(missing(findings), []);
  });

test("the compiler that is asked for is the chip's", async (t) => {
  const machine: Machine = { files: { "/opt/idf/bin/riscv32-esp-elf-gcc": "GONE" } };
  t.deepEqual(missing(await examined(machine, { chip: "esp32" })), []);
  const [lacking] = missing(await examined(machine, { chip: "esp32c3" }));
  t.is(lacking!.name, "esp-idf-tools");
  for (const chip of sdkChips()) await t.notThrowsAsync(examined({}, { chip }));
});

test("a port that was named and is not there fails; so does one that may not be opened", async (t) => {
  const gone = missing(await examined({ access: {} }, { port: "/dev/ttyUSB7" }));
  t.deepEqual(
    gone.map(({ name }) => name),
    ["ports"],
  );
  t.is(gone[0]!.found, "there is no /dev/ttyUSB7; there is /dev/ttyUSB0");
  const denied = missing(
    await examined(
      { access: { "/dev/ttyACM0": { allowed: false, gid: DIALOUT } } },
      { port: "/dev/ttyACM0" },
    ),
  );
  t.deepEqual(
    denied.map(({ name }) => name),
    ["serial-permission"],
  );
});

test("a masked rule of brltty takes nothing", async (t) => {
  const files = {
    "/usr/lib/udev/rules.d/85-brltty.rules": 'ENV{PRODUCT}=="1a86/7523/*"',
    "/etc/udev/rules.d/85-brltty.rules": "",
  };
  t.true(named(await examined({ files }), "udev").ok);
});

test("elsewhere than on Linux neither groups nor Bluetooth are looked at", async (t) => {
  const findings = await examined(
    { platform: "darwin", files: { "/opt/moddable/build/bin/mac/release/mcconfig": "" } },
    { bluetooth: true, chip: "esp32" },
  );
  t.false(findings.some(({ name }) => name === "serial-permission" || name === "udev"));
  t.like(named(findings, "bluetooth-adapter"), { ok: false, needed: false });
  t.deepEqual(missing(findings), []);
});

test("rfkill's list is read as it is", (t) => {
  t.deepEqual(parseRfkill(recorded("rfkill-blocked.txt")), [
    { index: 0, name: "phy0", type: "Wireless LAN", soft: false, hard: false },
    { index: 2, name: "hci0", type: "Bluetooth", soft: true, hard: false },
  ]);
  t.false(parseRfkill(recorded("rfkill-free.txt"))[1]!.soft);
  t.deepEqual(parseRfkill(""), []);
});

test("btmgmt's own words: supported settings are not current ones", (t) => {
  t.deepEqual(parseControllers(recorded("btmgmt-powered.txt")), [{ name: "hci0", powered: true }]);
  const two = recorded("btmgmt-powered.txt") + recorded("btmgmt-powered.txt").replace(/hci0/g, "hci1");
  const off = two.replace(/(hci1:[^]*current settings:) powered/, "$1");
  t.deepEqual(parseControllers(off), [
    { name: "hci0", powered: true },
    { name: "hci1", powered: false },
  ]);
});

test("versions, groups and manifests that are none are not taken for some", (t) => {
  t.is(parseTypeScriptVersion("Version 7.0.2\n"), "7.0.2");
  for (const text of ["", "Version\n", "tsc: The TypeScript Compiler - Version 6.0.3"])
    t.is(parseTypeScriptVersion(text), undefined);
  t.is(parseExpectedIdf('"EXPECTED_ESP_IDF": "v6.0",'), "v6.0");
  t.is(parseExpectedIdf('"EXPECTED_ESP_IDF": 6'), undefined);
  t.deepEqual(parseGroups("dialout:x:20:a,b\nnonsense\n+::\nx:x:y:\n"), [
    { name: "dialout", gid: 20, members: ["a", "b"] },
  ]);
});
