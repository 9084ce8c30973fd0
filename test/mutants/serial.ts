// The checks of the flash, the serial protocol and the flasher.

import type { Mutant } from "./mutants.js";

const row = (name: string, file: string, find: string, replace: string, test: string): Mutant => ({
  ...{ name: `serial: ${name}`, file, find, replace },
  tests: [`test/tools/${test}.test.ts`],
});

const flash = "tools/simulator/flash.ts";
const rom = "tools/simulator/rom.ts";
const download = "tools/simulator/download.ts";
const stub = "tools/simulator/stub-download.ts";
const slip = "tools/esptool/slip.ts";
const command = "tools/esptool/command.ts";
const checks = "tools/esptool/image-checks.ts";
const flasher = "tools/esptool/flasher.ts";
const regions = "tools/esptool/regions.ts";

export const serialMutants: readonly Mutant[] = [
  row(
    "NOR only clears bits",
    flash,
    "if ((old[i]! & bytes[i]!) !== bytes[i]!)",
    "if (false)",
    "simulator/flash",
  ),
  row("NOR range", flash, "offset + length > this.size)", "offset + length > Infinity)", "simulator/flash"),
  row("NOR erase alignment", flash, "if (offset % SECTOR_SIZE !== 0) {", "if (false) {", "simulator/flash"),
  row("NOR stays dead after a cut", flash, "if (this.untilCut === 0)", "if (false)", "simulator/flash"),
  row("flash file size", flash, "if (found !== size) {", "if (false) {", "simulator/flash"),
  row("SLIP limit", slip, "if (this.length === this.packet.length)", "if (false)", "esptool/slip"),
  row("SLIP escapes", slip, "if (byte !== ESC_END && byte !== ESC_ESC)", "if (false)", "esptool/slip"),
  row(
    "request leftovers",
    command,
    "if (data.length !== packet.length - HEADER_LENGTH)",
    "if (false)",
    "esptool/command",
  ),
  row("packet size", command, "if (HEADER_LENGTH + size > packet.length)", "if (false)", "esptool/command"),
  row("block length", command, "if (length !== payload.length)", "if (false)", "esptool/command"),
  row(
    "ROM: checksum of blocks",
    "tools/simulator/rom-refusals.ts",
    "if (request.checksum !== checksum(block.payload))",
    "if (false)",
    "simulator/rom",
  ),
  row("ROM: SPI_ATTACH first", rom, "if (hasAttach && !this.attached)", "if (false)", "simulator/rom"),
  row(
    "ROM: RAM addresses",
    "tools/simulator/ram-download.ts",
    "if (!this.ram.some(({ start, end: top }) => begin.offset >= start && end <= top))",
    "if (false)",
    "simulator/rom",
  ),
  row(
    "ROM: the ESP8266 erases too much",
    download,
    "(chip.rom.eraseBug ? headSectors(offset, size) : 0)",
    "0",
    "simulator/rom",
  ),
  row("stub: missing data", stub, "if (this.remaining > 0)", "if (false)", "simulator/rom"),
  row("stub: errors later", stub, "if (this.lastError !== undefined)", "if (false)", "simulator/rom"),
  row(
    "boot: another chip's image",
    "tools/simulator/boot.ts",
    "if (info.chipId !== chipId)",
    "if (false)",
    "simulator/chips",
  ),
  row(
    "boot: another form",
    "tools/simulator/boot.ts",
    "if (info.form !== form)",
    "if (false)",
    "simulator/chips",
  ),
  row("ROM: nothing after leaving", rom, "if (this.left) return;", "", "simulator/rom"),
  row(
    "ROM: stub commands",
    rom,
    "if (STUB_OPS.includes(op)) return this.stub;",
    "if (STUB_OPS.includes(op)) return true;",
    "simulator/rom",
  ),
  row("ROM: sequence", download, "if (sequence !== this.next)", "if (false)", "simulator/rom"),
  row(
    "ROM: writes within BEGIN",
    download,
    "if (this.written + bytes.length > this.limit)",
    "if (false)",
    "simulator/rom",
  ),
  row("ROM: writes within the flash", download, "if (end > flash.size)", "if (false)", "simulator/rom"),
  row(
    "inflate: Adler-32",
    "tools/simulator/inflate.ts",
    "if (a !== this.adlerA || b !== this.adlerB)",
    "if (false)",
    "simulator/inflate",
  ),
  row(
    "inflate: copies from before the start",
    "tools/simulator/inflate.ts",
    "if (distance > this.produced)",
    "if (false)",
    "simulator/inflate",
  ),
  row(
    "flasher: verifies",
    flasher,
    "if (this.written && this.open.length > 0) throw await this.mismatch();",
    "if (this.written) return [];",
    "esptool/flasher",
  ),
  row(
    "flasher: only sectors that differ",
    "tools/esptool/difference.ts",
    "found[index] === wanted[index] || ",
    "",
    "esptool/flasher",
  ),
  row(
    "flasher: a missing answer is not taken for another's",
    "tools/esptool/loader.ts",
    'if ((error as { code?: string }).code !== "no-answer") throw error;',
    'return ranges.map(() => "");',
    "esptool/stub",
  ),
  row("flasher: whole sectors", regions, "region.offset % SECTOR_SIZE !== 0)", "false)", "esptool/flasher"),
  row("flasher: overlaps", regions, "if (next && end > next.offset)", "if (false)", "esptool/flasher"),
  row(
    "flasher: flash size",
    regions,
    "if (offset + data.length <= flashSize) continue;",
    "continue;",
    "esptool/flasher",
  ),
  row(
    "image of another chip",
    checks,
    "if (chipId !== identity.chip.image.chipId)",
    "if (false)",
    "commands/flash",
  ),
  row(
    "image for a newer revision",
    checks,
    "if (minRevision > identity.revision)",
    "if (false)",
    "commands/flash",
  ),
  row("app larger than its slot", checks, "if (size > slot.size)", "if (false)", "commands/flash"),
  row("virtual and real", checks, "if (virtual === isVirtual(mac)) return;", "return;", "commands/flash"),
  row("kept partitions", checks, "const kept = erase ?", "const kept = true ?", "commands/flash"),
  row(
    "one client at a time",
    "tools/simulator/uart.ts",
    "if (this.client) return false;",
    "",
    "serial/ports",
  ),
];
