// Who takes part in the joins of the tests: a server's key with its pin, a join key, what a device says of itself.

import { encodeBase64url } from "../../firmware/protocol/base64url.js";
import { serverPin } from "../../firmware/protocol/join.js";
import { generateKeyPair } from "../../firmware/protocol/noise.js";
import { crypto } from "../../host/crypto.js";

export const serverKey = generateKeyPair(crypto);
export const pin = serverPin(crypto, serverKey.publicKey);
export const joinKey = { kid: encodeBase64url(crypto.random(6)), secret: crypto.random(16) };
export const about = { mac: "02:00:5e:00:53:01", chip: "esp32c3", product: "demo", v: "1.0.0", rssi: -60 };
