import test from "ava";
import { formatServerUrl, parseServerUrl } from "../../../firmware/protocol/server-url.js";

const pin = "AAAAAAAAAAAAAAAAAAAAAA";

test("addresses with and without port, slash and pin", (t) => {
  t.deepEqual(parseServerUrl(`http://192.168.1.2:3000/#${pin}`), { host: "192.168.1.2", port: 3000, pin });
  t.deepEqual(parseServerUrl(`http://192.168.1.2:3000#${pin}`), { host: "192.168.1.2", port: 3000, pin });
  t.deepEqual(parseServerUrl("http://Broome.local/"), { host: "broome.local", port: 80, pin: undefined });
  t.deepEqual(parseServerUrl("http://h:65535"), { host: "h", port: 65535, pin: undefined });
});

test("what is written is what is read", (t) => {
  for (const url of [
    { host: "a.b", port: 3000, pin },
    { host: "10.0.0.1", port: 1, pin: undefined },
  ])
    t.deepEqual(parseServerUrl(formatServerUrl(url)), url);
});

for (const bad of [
  "",
  "host:3000",
  "https://host:3000/",
  "HTTP://host/",
  "http://",
  "http:///",
  "http://:3000/",
  "http://host:/",
  "http://host:0/",
  "http://host:65536/",
  "http://host:3000000000/",
  "http://host:+80/",
  "http://host:8e1/",
  "http://user@host/",
  "http://host/path",
  "http://host/?query",
  "http://host\r\nX: y/",
  "http://ho st/",
  "http://[::1]:3000/",
  "http://host/#",
  "http://host/#short",
  `http://host/#${pin}A`,
  `http://host/#${pin.slice(1)}+`,
  `http://${"a".repeat(254)}/`,
])
  test(`refused as a server's address: ${JSON.stringify(bad.slice(0, 40))}`, (t) => {
    t.throws(() => parseServerUrl(bad), { code: "server-url-invalid" });
  });
