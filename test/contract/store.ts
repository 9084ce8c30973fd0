// What every implementation of the store seam (host/store/store.ts) must do: one suite, run on each of them.

import type { ExecutionContext, TestFn } from "ava";
import type { Join, NewDevice, Release, Store, SyncInput } from "../../host/store/store.js";

const LIMITS = { perKey: 3, total: 5, perMinuteAndKey: 2 };

function bytes(...values: number[]): Uint8Array {
  return Uint8Array.from(values);
}

function newDevice(deviceid: string, more: Partial<NewDevice> = {}): NewDevice {
  return { deviceid, name: `name of ${deviceid}`, datec: 1000, state: "approved", ...more };
}

function request(more: Partial<SyncInput> = {}): SyncInput {
  return {
    ...{ deviceid: "d1", g: 1, boot: 1, sequence: 1, tag: bytes(1), at: 5000, address: "192.0.2.1" },
    ...{ readings: [], pins: [], ledger: [], report: {} },
    ...more,
  };
}

function reading(boot: number, key: number, value: unknown = key) {
  return { boot, key, uptime: key * 10, at: 5000, name: "temperature", value };
}

function newJoin(n: number, more: Partial<Join> = {}): Join {
  return {
    ...{ deviceid: `j${n}`, g: 1, kid: "kid", m1: bytes(n), m2: bytes(n, 2), h: bytes(n, 3) },
    ...{ commitment: `c${n}`, wrappedKey: bytes(n, 5), mac: "02:00:00:00:00:01", chip: "esp32c3" },
    ...{ product: "p", version: "1.0.0", rssi: -50, name: "", at: 1000 },
    ...more,
  };
}

function newRelease(manifest: string, version: string): Release {
  return {
    ...{ manifest, version, product: "p", chip: "esp32c3", layout: "l", sc: 0, min: "0.0.0", size: 5 },
    ...{ sha256: `s${manifest}`, list: `l${manifest}`, kid: "k", created: 1, withdrawn: false },
  };
}

async function withDevice(store: Store): Promise<void> {
  await store.addDevice(newDevice("d1"), { deviceid: "d1", g: 1, wrappedKey: bytes(9) });
}

/** Adds the suite's tests. `open` gives an empty store; opening the same name again finds what was kept. */
export function storeContract(test: TestFn, open: (name: string) => Store): void {
  let serial = 0;
  const check = (
    title: string,
    body: (t: ExecutionContext, store: Store, again: () => Promise<Store>) => Promise<void>,
  ) =>
    test(`store: ${title}`, async (t) => {
      const name = `contract-${(serial += 1)}`;
      let store = open(name);
      const again = async () => {
        await store.close();
        return (store = open(name));
      };
      try {
        await body(t, store, again);
      } finally {
        await store.close();
      }
    });

  check("a device is as it was after the store is opened again", async (t, store, again) => {
    await withDevice(store);
    const before = await store.getDevice("d1");
    const reopened = await again();
    t.deepEqual(await reopened.getDevice("d1"), before);
    t.deepEqual(await reopened.getIdentity("d1", 1), { deviceid: "d1", g: 1, wrappedKey: bytes(9) });
    t.is(await reopened.getIdentity("d1", 2), undefined);
    t.is(await reopened.getDevice("d2"), undefined);
  });

  check(
    "higher (boot, sequence) is accepted, the latest again is a duplicate, all else is stale",
    async (t, store) => {
      await withDevice(store);
      const kind = async (boot: number, sequence: number, tag: number) =>
        (await store.sync(request({ boot, sequence, tag: bytes(tag) }))).kind;
      t.is(await kind(1, 5, 1), "accepted");
      t.is(await kind(1, 5, 1), "duplicate");
      t.is(await kind(1, 5, 2), "stale");
      t.is(await kind(1, 4, 3), "stale");
      t.is(await kind(2, 0, 4), "accepted");
      t.deepEqual(await store.sync(request({ boot: 1, sequence: 6 })), { kind: "stale", highestBoot: 2 });
      t.is((await store.sync(request({ g: 2 }))).kind, "unknown");
      t.is((await store.sync(request({ deviceid: "none" }))).kind, "unknown");
    },
  );

  check("a stale or repeated request changes no row", async (t, store) => {
    await withDevice(store);
    await store.sync(request({ sequence: 2, readings: [reading(1, 1)], pins: [{ pin: 1, value: "a" }] }));
    const look = async () => [
      await store.listDevices(),
      await store.listReadings("d1", 9),
      await store.listPins("d1"),
    ];
    const before = await look();
    const forged = {
      ...{ at: 9999, address: "198.51.100.7", readings: [reading(1, 2)], pins: [{ pin: 1, value: "b" }] },
      ...{
        ledger: [{ boot: 1, at: 1, entry: { cause: "x" } }],
        report: { version: "9.9.9" },
        ota: { state: "x" },
      },
    };
    t.is((await store.sync(request({ ...forged, sequence: 1, tag: bytes(7) }))).kind, "stale");
    t.is((await store.sync(request({ ...forged, sequence: 2, tag: bytes(1) }))).kind, "duplicate");
    t.deepEqual(await look(), before);
  });

  check("syncs at once are each stored whole; one that fails takes no other along", async (t, store) => {
    await withDevice(store);
    await store.addDevice(newDevice("d2"), { deviceid: "d2", g: 1, wrappedKey: bytes(9) });
    const broken = { ...reading(1, 2), name: undefined as never };
    const outcomes = await Promise.allSettled([
      store.sync(request({ readings: [reading(1, 1)] })),
      store.sync(request({ deviceid: "d2", readings: [reading(1, 1), broken] })),
      store.sync(request({ sequence: 2, readings: [reading(1, 2)] })),
      store.sync(request({ sequence: 2, readings: [reading(1, 3)] })),
    ]);
    t.deepEqual(
      outcomes.map((outcome) => (outcome.status === "fulfilled" ? outcome.value.kind : "failed")),
      ["accepted", "failed", "accepted", "duplicate"],
    );
    t.is((await store.listReadings("d1", 9)).length, 2);
    t.deepEqual(await store.listReadings("d2", 9), []);
    t.is((await store.sync(request({ deviceid: "d2" }))).kind, "accepted", "it left no trace");
  });

  check("records at or below the watermark are not stored twice", async (t, store) => {
    await withDevice(store);
    const first = await store.sync(request({ readings: [reading(1, 1), reading(1, 2)] }));
    t.like(first, { kind: "accepted", watermark: [1, 2], stored: 2 });
    const second = await store.sync(
      request({ sequence: 2, readings: [reading(1, 1), reading(1, 2), reading(1, 3), reading(2, 0)] }),
    );
    t.like(second, { kind: "accepted", watermark: [2, 0], stored: 2 });
    const keys = (await store.listReadings("d1", 9)).map(({ boot, key }) => [boot, key]);
    t.deepEqual(keys, [
      [2, 0],
      [1, 3],
      [1, 2],
      [1, 1],
    ]);
  });

  check("a reading's value comes back as it was sent", async (t, store) => {
    await withDevice(store);
    const values = [0, -1.5, true, "", "é\0x", "'; DROP TABLE readings; --"];
    await store.sync(request({ readings: values.map((value, i) => reading(1, i, value)) }));
    t.deepEqual((await store.listReadings("d1", 99)).map(({ value }) => value).reverse(), values);
    t.deepEqual((await store.getDevice("d1"))!.data, { temperature: values.at(-1) });
  });

  check("what the device reports fills its row and leaves the rest", async (t, store) => {
    await withDevice(store);
    await store.sync(request({ report: { version: "1.0.0", rssi: -60, mac: "m" }, cfgsnApplied: 3 }));
    const outcome = await store.sync(
      request({ sequence: 2, report: { rssi: -70 }, ota: { state: "trial" } }),
    );
    t.like(outcome, { kind: "accepted", device: { version: "1.0.0", rssi: -70, mac: "m", cfgsnApplied: 3 } });
    t.like(await store.getDevice("d1"), { lastseen: 5000, ipaddr: "192.0.2.1", ota: { state: "trial" } });
  });

  check("a MAC is taken once, and never another approved device's", async (t, store) => {
    await withDevice(store);
    const key = { g: 1, wrappedKey: bytes(9) };
    await store.addDevice(newDevice("joined", { mac: "other" }), { ...key, deviceid: "joined" });
    await store.addDevice(newDevice("denied", { mac: "free", state: "denied" }), {
      ...key,
      deviceid: "denied",
    });
    const macAfter = async (sequence: number, deviceid: string, mac?: string) => {
      await store.sync(request({ deviceid, sequence, report: mac === undefined ? {} : { mac } }));
      return (await store.getDevice(deviceid))!.mac;
    };
    t.is(await macAfter(1, "d1"), "");
    t.is(await macAfter(2, "d1", "other"), "");
    t.is(await macAfter(3, "d1", "free"), "free");
    t.is(await macAfter(4, "d1", "third"), "free");
    t.is(await macAfter(1, "joined", "free"), "other");
    t.is(await macAfter(2, "joined"), "other");
  });

  check("a boot's first report stands", async (t, store) => {
    await withDevice(store);
    await store.sync(request({ ledger: [{ boot: 1, at: 1, entry: { cause: "power-on" } }] }));
    const outcome = await store.sync(
      request({
        sequence: 2,
        ledger: [
          { boot: 1, at: 2, entry: { cause: "user" } },
          { boot: 2, at: 3, entry: { cause: "ota" } },
        ],
      }),
    );
    t.like(outcome, { ledger: 2 });
    t.deepEqual(
      (await store.listBoots("d1", 9)).map(({ entry }) => entry.cause),
      ["ota", "power-on"],
    );
  });

  check("every pin change has its revision, and the latest of each pin is repeated", async (t, store) => {
    await withDevice(store);
    await store.setPins(
      "d1",
      [
        { pin: 1, value: "a" },
        { pin: 2, value: "b" },
      ],
      10,
    );
    await store.setPins("d1", [{ pin: 1, value: "c" }], 20);
    const above = async (p: number) =>
      (await store.desiredPinsAbove("d1", p)).map((v) => [v.revision, v.pin, v.value]);
    t.deepEqual(await above(0), [
      [2, 2, "b"],
      [3, 1, "c"],
    ]);
    t.deepEqual(await above(2), [[3, 1, "c"]]);
    t.deepEqual(await above(3), []);
    t.is((await store.getPin("d1", 1))!.value, "c");
    await store.sync(request({ at: 30, pins: [{ pin: 1, value: "said" }] }));
    t.is((await store.getPin("d1", 1))!.value, "said");
    t.is(await store.getPin("d1", 7), undefined);
    t.deepEqual(
      (await store.listPins("d1")).map(({ pin }) => pin),
      [1, 2],
    );
  });

  check("a token is found by its hash until it is removed", async (t, store) => {
    await withDevice(store);
    const token = {
      tokenid: "t",
      deviceid: "d1",
      scopes: ["read" as const, "pins" as const],
      label: "",
      created: 1,
    };
    await store.addToken(token, "hash");
    t.deepEqual(await store.findToken("hash"), token);
    t.is(await store.findToken("t"), undefined);
    t.deepEqual(await store.listTokens("d1"), [token]);
    t.true(await store.removeToken("d1", "t"));
    t.false(await store.removeToken("d1", "t"));
    t.is(await store.findToken("hash"), undefined);
  });

  check("sessions end at their time", async (t, store) => {
    await store.addSession("s", 100, 1);
    t.true(await store.hasSession("s", 99));
    t.false(await store.hasSession("s", 100));
    await store.removeSession("s");
    t.false(await store.hasSession("s", 1));
  });

  const joinKey = {
    kid: "kid",
    wrappedSecret: bytes(1),
    label: "",
    created: 1,
    expires: null,
    uses: null,
    used: 0,
    revoked: false,
  };

  check("joins are bounded a minute, a key and in all", async (t, store) => {
    await store.addJoinKey(joinKey);
    const add = (n: number, at: number, kid = "kid") => store.addJoin(newJoin(n, { at, kid }), LIMITS);
    t.is(await add(1, 0), "free");
    t.is(await add(2, 0), "free");
    t.is(await add(3, 1), "too-fast");
    t.is(await add(3, 60_000), "free");
    t.is(await add(4, 130_000), "too-many");
    t.is(await add(4, 0, "other"), "free");
    t.is(await add(5, 0, "another"), "free");
    t.is(await add(6, 0, "third"), "too-many");
    t.is(await add(7, 11 * 60_000), "free"); // the first ones no longer count
    t.is(await store.addJoin(newJoin(9, { m1: bytes(1) }), LIMITS), "known");
    t.is(await store.joinRoom("kid", 11 * 60_000, LIMITS), "free");
    t.deepEqual((await store.findJoin(bytes(1)))!.m2, bytes(1, 2));
    t.is(await store.removeJoinsBefore(1), 4);
    t.is(await store.findJoin(bytes(1)), undefined);
  });

  check("a pending device counts as a join until its owner decides", async (t, store) => {
    await store.addJoinKey(joinKey);
    const later = 1000 + 9 * 60_000;
    for (let n = 1; n <= 3; n += 1) {
      t.is(await store.addJoin(newJoin(n, { at: n * 60_000 }), LIMITS), "free");
      await store.confirmJoin(`j${n}`, "012345", n * 60_000);
    }
    t.is(await store.joinRoom("kid", later + 3600_000, LIMITS), "too-many");
    await store.moveDevice("j1", ["pending"], "denied");
    t.is(await store.joinRoom("kid", later + 3600_000, LIMITS), "free");
  });

  check("a confirmed join is a pending device with its identity, once", async (t, store) => {
    await store.addJoinKey({ ...joinKey, uses: 1 });
    await store.addJoin(newJoin(1), LIMITS);
    await store.addJoin(newJoin(2), LIMITS);
    t.is(await store.getDevice("j1"), undefined);
    t.like(await store.confirmJoin("j1", "012345", 2000), {
      state: "pending",
      code: "012345",
      claims: null,
      datec: 2000,
    });
    t.deepEqual((await store.getIdentity("j1", 1))!.wrappedKey, bytes(1, 5));
    t.is(await store.confirmJoin("j1", "012345", 2000), undefined);
    t.is(await store.getJoin("j1"), undefined);
    t.is(await store.confirmJoin("j2", "012345", 2000), undefined, "the key admits one");
    t.is((await store.getJoinKey("kid"))!.used, 1);
  });

  for (const [title, key, now] of [
    ["revoked", { ...joinKey }, 2000],
    ["expired", { ...joinKey, expires: 1500 }, 2000],
    ["too late", { ...joinKey }, 1000 + 600_000],
  ] as const)
    check(`a join is not confirmed: ${title}`, async (t, store) => {
      await store.addJoinKey(key);
      await store.addJoin(newJoin(1), LIMITS);
      if (title === "revoked") t.true(await store.revokeJoinKey("kid"));
      t.is(await store.confirmJoin("j1", "012345", now), undefined);
      t.deepEqual(await store.listDevices(), []);
    });

  check("a device that claims another's MAC takes its place only when approved", async (t, store) => {
    await store.addDevice(newDevice("old", { mac: "02:00:00:00:00:01" }), {
      deviceid: "old",
      g: 1,
      wrappedKey: bytes(1),
    });
    await store.editDevice("old", { tags: ["porch"], notes: "n" });
    await store.setConfig("old", { a: 1 });
    await store.addToken({ tokenid: "t", deviceid: "old", scopes: ["read"], label: "", created: 1 }, "hash");
    await store.addJoinKey(joinKey);
    await store.addJoin(newJoin(1), LIMITS);
    t.like(await store.confirmJoin("j1", "012345", 2000), { claims: "old" });
    t.like(await store.getDevice("old"), { state: "approved" });
    t.like(await store.approveDevice("j1"), {
      state: "approved",
      name: "name of old",
      tags: ["porch"],
      claims: null,
      code: null,
    });
    t.like(await store.getDevice("old"), { state: "replaced", replacedBy: "j1" });
    t.is((await store.findToken("hash"))!.deviceid, "j1");
    t.deepEqual((await store.getConfig("j1"))!.values, { a: 1 });
    t.is(await store.approveDevice("j1"), undefined);
  });

  check("pending devices that nobody approved are removed", async (t, store) => {
    await store.addDevice(newDevice("p", { state: "pending", datec: 10 }), {
      deviceid: "p",
      g: 1,
      wrappedKey: bytes(1),
    });
    await withDevice(store);
    t.deepEqual(await store.removePendingBefore(10), []);
    t.deepEqual(await store.removePendingBefore(5000), ["p"]);
    t.is(await store.getIdentity("p", 1), undefined);
    t.truthy(await store.getDevice("d1"));
  });

  check("a device moves only from the states named", async (t, store) => {
    await withDevice(store);
    t.is(await store.moveDevice("d1", ["pending"], "denied"), undefined);
    t.like(await store.moveDevice("d1", ["approved"], "blocked"), { state: "blocked" });
    t.deepEqual(await store.listDevices("approved"), []);
    t.is((await store.listDevices("blocked")).length, 1);
  });

  check("wrong codes are counted", async (t, store) => {
    await withDevice(store);
    t.is(await store.countWrongCode("d1"), 1);
    t.is(await store.countWrongCode("d1"), 2);
  });

  check("a version is released once until it is withdrawn, and offers go with it", async (t, store) => {
    await withDevice(store);
    const offer = { manifest: "a", down: true, again: false, revision: 4 };
    t.true(await store.addRelease(newRelease("a", "1.0.0")));
    t.false(await store.addRelease(newRelease("a", "1.0.0")));
    t.false(await store.addRelease(newRelease("b", "1.0.0")));
    await store.setOffer("d1", offer);
    t.deepEqual((await store.getDevice("d1"))!.offer, offer);
    t.deepEqual(await store.withdrawRelease("a"), ["d1"]);
    t.is(await store.withdrawRelease("a"), undefined);
    t.like(await store.getDevice("d1"), { offer: null });
    t.true(await store.addRelease(newRelease("b", "1.0.0")));
    t.like(await store.getRelease("a"), { withdrawn: true });
    t.is((await store.listReleases()).length, 2);
  });

  check("settings are kept", async (t, store, again) => {
    await store.setSetting("a", "1");
    await store.setSetting("a", "2");
    const reopened = await again();
    t.is(await reopened.getSetting("a"), "2");
    t.is(await reopened.getSetting("b"), undefined);
    t.true(await reopened.ready());
  });
}
