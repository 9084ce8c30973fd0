// The contract of flashing, over every way to the virtual ROM: a pty of this computer, plain TCP, RFC 2217.

import test from "ava";
import { flashingContract } from "../../contract/flashing.js";
import { ptyHelper } from "../serial/pty-helper.js";
import { Rig } from "./rig.js";

flashingContract(test.serial, "rfc2217", async (t) => {
  const rig = await Rig.open(t);
  return { rig, name: rig.ports.rfc2217 };
});

// No reset lines here: the board is in download mode, as by a held button, and again after each time it is left.
flashingContract(test.serial, "tcp", async (t) => {
  const rig = await Rig.open(t);
  rig.appSays = "";
  rig.staysInDownload = true;
  rig.start(true);
  return { rig, name: rig.ports.tcp };
});

// A look at 1200 baud asks for download mode.
flashingContract(test.serial, "pty", async (t) => {
  const rig = await Rig.open(t, { ptyHelper });
  return { rig, name: rig.ports.pty! };
});
