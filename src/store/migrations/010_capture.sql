-- Recordings of one host's frames ("capture now"): who asked, who allowed, what became of it. Never deleted; the files are.
CREATE TABLE capture (
    id       INTEGER PRIMARY KEY AUTOINCREMENT, -- the file is DATA/captures/ID.pcap
    machine  TEXT NOT NULL CHECK (machine <> ''),
    state    TEXT NOT NULL,
    asked_ms INTEGER NOT NULL,
    octets   INTEGER NOT NULL, -- of a file that is there
    body     TEXT NOT NULL     -- all of it, JSON (src/capture/recording/life.rs)
) STRICT;
CREATE INDEX capture_by_state ON capture (state, id);
CREATE INDEX capture_by_machine ON capture (machine, id);
