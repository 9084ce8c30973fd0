// The tables of the SQLite store, as steps: a database remembers how many it has taken (PRAGMA user_version).

/** Never change a step that was released: add one. */
export const migrations: readonly string[] = [
  `
  CREATE TABLE settings (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;

  CREATE TABLE devices (
    deviceid TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    lastseen INTEGER,
    ssid TEXT NOT NULL DEFAULT '',
    ipaddr TEXT NOT NULL DEFAULT '',
    cfgsn INTEGER NOT NULL DEFAULT 0,
    flags INTEGER NOT NULL DEFAULT 0,
    data TEXT NOT NULL DEFAULT '{}',
    datec INTEGER NOT NULL,
    state TEXT NOT NULL,
    mac TEXT NOT NULL DEFAULT '',
    chip TEXT NOT NULL DEFAULT '',
    product TEXT NOT NULL DEFAULT '',
    layout TEXT NOT NULL DEFAULT '',
    version TEXT NOT NULL DEFAULT '',
    rssi INTEGER,
    tags TEXT NOT NULL DEFAULT '[]',
    location TEXT NOT NULL DEFAULT '',
    notes TEXT NOT NULL DEFAULT '',
    config TEXT NOT NULL DEFAULT '{}',
    cfgsn_applied INTEGER NOT NULL DEFAULT 0,
    ota TEXT,
    offer TEXT,
    status TEXT NOT NULL DEFAULT '{}',
    properties TEXT NOT NULL DEFAULT '{}',
    code TEXT,
    code_tries INTEGER NOT NULL DEFAULT 0,
    claims TEXT,
    replaced_by TEXT,
    pin_revision INTEGER NOT NULL DEFAULT 0,
    watermark_boot INTEGER,
    watermark_key INTEGER,
    ledger_boot INTEGER
  ) STRICT;
  CREATE INDEX devices_by_state ON devices (state);
  CREATE INDEX devices_by_mac ON devices (mac);

  CREATE TABLE identities (
    deviceid TEXT NOT NULL REFERENCES devices ON DELETE CASCADE,
    g INTEGER NOT NULL,
    wrapped_key BLOB NOT NULL,
    boot INTEGER NOT NULL DEFAULT 0,
    sequence INTEGER NOT NULL DEFAULT 0,
    tag BLOB,
    PRIMARY KEY (deviceid, g)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE readings (
    deviceid TEXT NOT NULL REFERENCES devices ON DELETE CASCADE,
    boot INTEGER NOT NULL,
    key INTEGER NOT NULL,
    uptime INTEGER NOT NULL,
    at INTEGER NOT NULL,
    name TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (deviceid, boot, key)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE boots (
    deviceid TEXT NOT NULL REFERENCES devices ON DELETE CASCADE,
    boot INTEGER NOT NULL,
    at INTEGER NOT NULL,
    entry TEXT NOT NULL,
    PRIMARY KEY (deviceid, boot)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE desired_pins (
    deviceid TEXT NOT NULL REFERENCES devices ON DELETE CASCADE,
    pin INTEGER NOT NULL,
    value TEXT NOT NULL,
    at INTEGER NOT NULL,
    revision INTEGER NOT NULL,
    PRIMARY KEY (deviceid, pin)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE reported_pins (
    deviceid TEXT NOT NULL REFERENCES devices ON DELETE CASCADE,
    pin INTEGER NOT NULL,
    value TEXT NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (deviceid, pin)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE tokens (
    hash TEXT PRIMARY KEY,
    tokenid TEXT NOT NULL,
    deviceid TEXT NOT NULL REFERENCES devices ON DELETE CASCADE,
    scopes TEXT NOT NULL,
    label TEXT NOT NULL,
    created INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX tokens_by_device ON tokens (deviceid);

  CREATE TABLE sessions (hash TEXT PRIMARY KEY, expires INTEGER NOT NULL) STRICT, WITHOUT ROWID;

  CREATE TABLE join_keys (
    kid TEXT PRIMARY KEY,
    wrapped_secret BLOB NOT NULL,
    label TEXT NOT NULL,
    created INTEGER NOT NULL,
    expires INTEGER,
    uses INTEGER,
    used INTEGER NOT NULL DEFAULT 0,
    revoked INTEGER NOT NULL DEFAULT 0
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE joins (
    deviceid TEXT PRIMARY KEY,
    g INTEGER NOT NULL,
    kid TEXT NOT NULL,
    m1 BLOB NOT NULL UNIQUE,
    m2 BLOB NOT NULL,
    h BLOB NOT NULL,
    commitment TEXT NOT NULL,
    wrapped_key BLOB NOT NULL,
    mac TEXT NOT NULL,
    chip TEXT NOT NULL,
    product TEXT NOT NULL,
    version TEXT NOT NULL,
    rssi INTEGER,
    at INTEGER NOT NULL,
    confirmed INTEGER NOT NULL DEFAULT 0
  ) STRICT;
  CREATE INDEX joins_by_time ON joins (at);

  CREATE TABLE releases (
    manifest TEXT PRIMARY KEY,
    version TEXT NOT NULL,
    product TEXT NOT NULL,
    chip TEXT NOT NULL,
    layout TEXT NOT NULL,
    sc INTEGER NOT NULL,
    min TEXT NOT NULL,
    size INTEGER NOT NULL,
    sha256 TEXT NOT NULL,
    list TEXT NOT NULL,
    kid TEXT NOT NULL,
    created INTEGER NOT NULL,
    withdrawn INTEGER NOT NULL DEFAULT 0
  ) STRICT, WITHOUT ROWID;
  CREATE UNIQUE INDEX releases_by_version ON releases (product, chip, layout, version) WHERE withdrawn = 0;
  `,
  "ALTER TABLE joins ADD COLUMN name TEXT NOT NULL DEFAULT ''",
];
