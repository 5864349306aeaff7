-- Who sits where: the last tables of each device (src/locate/store.rs), and the MAC addresses of ports that are watched.
CREATE TABLE located (
    device TEXT PRIMARY KEY,
    at_ms  INTEGER NOT NULL,
    body   TEXT NOT NULL -- JSON
) STRICT, WITHOUT ROWID;

CREATE TABLE watched_mac (
    device   TEXT NOT NULL,
    port     TEXT NOT NULL,
    mac      BLOB NOT NULL CHECK (length(mac) = 6),
    first_ms INTEGER NOT NULL,
    PRIMARY KEY (device, port, mac)
) STRICT, WITHOUT ROWID;

-- Machines about which some kinds of behaviour are not told, each with its owner, its reason and its end. Never deleted.
CREATE TABLE exemption (
    id         INTEGER PRIMARY KEY,
    who        TEXT NOT NULL CHECK (who <> ''),     -- an IP address, a network, a MAC address, or its first three octets
    kinds      TEXT NOT NULL,                       -- words with commas between them; empty for all
    owner      TEXT NOT NULL CHECK (owner <> ''),
    reason     TEXT NOT NULL CHECK (reason <> ''),
    until_ms   INTEGER NOT NULL,
    created_ms INTEGER NOT NULL,
    ended_ms   INTEGER                              -- when it was taken back before its end
) STRICT;
