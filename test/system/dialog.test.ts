// With no credentials the board offers its dialog; a person completes it in `broome monitor`.

import test from "ava";
import { spawn } from "node:child_process";
import { join } from "node:path";
import { root, Rig, network } from "./rig.js";
import { UartLog } from "../../tools/demo/uart-log.js";
import { Conversation } from "../support/conversation.js";

const rig = new Rig();
test.after.always(() => rig.end());

/** A person at `broome monitor`. */
class Person extends Conversation {
  readonly screen = new UartLog();
  private readonly monitor;

  constructor(port: string) {
    const monitor = spawn(process.execPath, [join(root, "tools/bin/broome.mjs"), "-p", port, "monitor"], {
      cwd: root,
      env: { ...process.env, NO_COLOR: "1" },
    });
    super((keys) => monitor.stdin.write(keys));
    this.monitor = monitor;
    monitor.stdout.on("data", (bytes: Buffer) => {
      this.screen.take(bytes);
      this.hear(bytes);
    });
  }

  leave(): Promise<void> {
    return new Promise((resolve) => {
      this.monitor.once("close", () => resolve());
      this.monitor.kill("SIGINT");
    });
  }
}

/** Behind the restart by `monitor`: what the board asked before it was asked by a board that is gone. */
const FIRST_QUESTION = /ESP-ROM[^]*1 {2}Broome[^]*Number or name[^\n]*: $/;

async function blankBoard(name: string) {
  const built = await rig.build("1.0.0");
  const board = await rig.board(name);
  await rig.flash(board, built, join(built, "app.bin"));
  return board;
}

test.serial(
  "scan, wrong password, right password, wrong pin, wrong key, right key, right pin: typed into broome monitor",
  async (t) => {
    const server = await rig.serve();
    const board = await blankBoard("blank");
    const person = new Person(board.first.port!);
    try {
      await person.answer(FIRST_QUESTION, "1");
      await person.answer(/Password[^\n]*: $/, "not the password");
      await person.answer(/\[wrong-password[^]*Password of "Broome"[^\n]*: $/, network.password);
      const otherPin = server.deviceUrl.replace(/#.*/, "#AAAAAAAAAAAAAAAAAAAAAA");
      await person.answer(/Connected[^]*Server[^\n]*: $/, otherPin);
      await person.answer(/Join key[^\n]*: $/, "mistyped-key");
      await person.answer(/That cannot be[^]*Join key[^\n]*: $/, server.joinKey);
      await person.answer(
        /Another server answers there than the one of this pin\. Press Enter to set up/,
        "",
      );
      await person.answer(/Server[^\n]*: $/, otherPin);
      await person.answer(/Join key[^\n]*keeps the old one\): $/, "");
      await person.answer(
        /Another server answers there than the one of this pin\. Press Enter to set up/,
        "",
      ); // each time
      await person.answer(/Server[^\n]*: $/, server.deviceUrl);
      await person.answer(/Join key[^\n]*keeps the old one\): $/, "");
      await person.asked(/whether it takes this device[^]*code=\d{6}[^]*Compare this code/);
      const deviceid = await rig.approve(server, person.screen);
      await rig.readings(server, deviceid, (names) => names.length > 0);
      const said = person.screen.lines.join("\n");
      for (const secret of [network.password, server.joinKey, "mistyped-key"]) t.false(said.includes(secret));
    } finally {
      await person.leave();
    }
  },
);

test.serial(
  "a board that knows a network and no server offers to name one, after a restart too",
  async (t) => {
    const server = await rig.serve("later");
    const board = await blankBoard("later");
    const first = new Person(board.first.port!);
    await first.answer(FIRST_QUESTION, "1");
    await first.answer(/Password[^\n]*: $/, network.password);
    await first.answer(/Connected[^]*Server[^\n]*: $/, ""); // not now
    await first.asked(/no server is known/);
    await first.leave();
    const second = new Person(board.first.port!); // which restarts it
    try {
      await second.answer(/chain: step=stored result=online[^]*Press Enter to set up the server/, "");
      await second.answer(/Server[^\n]*: $/, server.deviceUrl);
      await second.answer(/Join key[^\n]*: $/, server.joinKey);
      const deviceid = await rig.approve(server, second.screen);
      await rig.readings(server, deviceid, (names) => names.length > 0);
      t.notRegex(second.screen.lines.join("\n"), /Guru/);
    } finally {
      await second.leave();
    }
  },
);
