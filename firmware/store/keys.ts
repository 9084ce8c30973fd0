// What the device keeps, by store key. A number is never given a new meaning: boards in the field hold the old one.

export const BOOT_NUMBER = 1;
/** Why the next start happens, and how long this run lasted: {intention, uptime}. */
export const INTENTION = 2;
/** Starts not yet acknowledged by the server. */
export const LEDGER = 3;
/** {id, g, k, pin, url}: who this device is, to which server. */
export const IDENTITY = 4;
/** The same while the owner has not approved; IDENTITY stays until then. */
export const PENDING_IDENTITY = 5;
/** Networks that worked, newest first. */
export const NETWORKS = 6;
/** CRC u32 and JSON: the defaults block as last imported. */
export const DEFAULTS = 7;
/** {p, trigger}: highest pin revision processed, and a trigger that has not acted yet. */
export const PIN_REVISION = 8;
/** {sn, values}: configuration from the server. */
export const CONFIGURATION = 9;
/** What the updater must know over a restart. */
export const OTA_MEMORY = 10;
/** Lowest security counter that may be installed. */
export const MINIMUM_SC = 11;
/** Server and join key entered in the dialog. */
export const SERVER = 12;
/** CRC u32, parts u8: which parts of that import have worked. */
export const DEFAULTS_WORKED = 13;
/** When and where each network last worked, and why it last failed. */
export const NETWORK_NOTES = 14;
/** {name, host}: what the owner called the device by Improv. */
export const NAMES = 15;
/** Server and join key that a phone sent, until that server took the device; SERVER stays meanwhile. */
export const SENT_SERVER = 16;
/** From here on for the gadget's own program. */
export const FIRST_APP_KEY = 24;
