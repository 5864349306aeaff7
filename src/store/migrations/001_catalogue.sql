-- The catalogue: numbers given once to devices and ports. Samples on disk carry only the number, so a row is never
-- deleted and a number never given twice.
CREATE TABLE device (
    id         INTEGER PRIMARY KEY CHECK (id BETWEEN 1 AND 1048575),
    name       TEXT NOT NULL UNIQUE CHECK (name <> ''),
    first_seen INTEGER NOT NULL, -- milliseconds since 1970, as all times here
    last_seen  INTEGER NOT NULL
) STRICT;

-- The identity is (device, name); the rest is a copy of what the device said last, for telling doubles apart
-- and for reading the past of a port that is gone.
CREATE TABLE port (
    id         INTEGER PRIMARY KEY CHECK (id BETWEEN 1 AND 16777215),
    device     INTEGER NOT NULL REFERENCES device (id),
    name       TEXT NOT NULL CHECK (name <> ''),
    if_name    TEXT NOT NULL, -- '' when the device gives none
    if_descr   TEXT NOT NULL,
    if_alias   TEXT NOT NULL,
    mac        BLOB CHECK (length(mac) = 6),
    if_index   INTEGER NOT NULL,
    if_type    INTEGER NOT NULL,
    speed_bps  INTEGER,
    first_seen INTEGER NOT NULL,
    last_seen  INTEGER NOT NULL,
    UNIQUE (device, name)
) STRICT;

CREATE TRIGGER device_is_kept BEFORE DELETE ON device BEGIN SELECT RAISE(ABORT, 'devices are never deleted'); END;
CREATE TRIGGER port_is_kept BEFORE DELETE ON port BEGIN SELECT RAISE(ABORT, 'ports are never deleted'); END;
