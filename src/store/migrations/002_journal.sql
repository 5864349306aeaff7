-- The journal: one chain of events. A header is never changed and never removed; a payload only by a destruction that
-- the chain itself records. src/journal says how the hashes are made.
CREATE TABLE journal_event (
    seq            INTEGER PRIMARY KEY CHECK (seq > 0),
    ts_ms          INTEGER NOT NULL,
    subject        TEXT NOT NULL,
    rev            INTEGER,
    actor          TEXT, -- NULL: no person
    on_behalf_of   TEXT,
    via            TEXT NOT NULL CHECK (via IN ('web', 'api', 'cli', 'daemon')),
    action         TEXT NOT NULL CHECK (action <> ''),
    from_state     TEXT,
    to_state       TEXT,
    payload_digest BLOB NOT NULL CHECK (length(payload_digest) = 32),
    prev_hash      BLOB NOT NULL CHECK (length(prev_hash) = 32),
    hash           BLOB NOT NULL CHECK (length(hash) = 32),
    flags          TEXT NOT NULL
) STRICT;

CREATE TABLE journal_payload (
    seq  INTEGER PRIMARY KEY REFERENCES journal_event (seq),
    salt BLOB NOT NULL CHECK (length(salt) = 16),
    json TEXT NOT NULL
) STRICT;

-- Which payloads may go, by the event that records the destruction.
CREATE TABLE journal_destruction (
    seq    INTEGER PRIMARY KEY REFERENCES journal_event (seq),
    record INTEGER NOT NULL REFERENCES journal_event (seq)
) STRICT;

CREATE TRIGGER journal_event_stays BEFORE UPDATE ON journal_event BEGIN SELECT RAISE(ABORT, 'append-only'); END;
CREATE TRIGGER journal_event_is_kept BEFORE DELETE ON journal_event BEGIN SELECT RAISE(ABORT, 'append-only'); END;
-- REPLACE and "INSERT OR REPLACE" delete without the trigger above; new events only follow the last one.
CREATE TRIGGER journal_event_follows BEFORE INSERT ON journal_event
WHEN NEW.seq <> 1 + coalesce((SELECT max(seq) FROM journal_event), 0)
BEGIN SELECT RAISE(ABORT, 'append-only'); END;
CREATE TRIGGER journal_payload_stays BEFORE UPDATE ON journal_payload BEGIN SELECT RAISE(ABORT, 'append-only'); END;
CREATE TRIGGER journal_payload_is_kept BEFORE DELETE ON journal_payload
WHEN NOT EXISTS (SELECT 1 FROM journal_destruction WHERE seq = OLD.seq)
BEGIN SELECT RAISE(ABORT, 'append-only'); END;
CREATE TRIGGER journal_payload_is_new BEFORE INSERT ON journal_payload
WHEN EXISTS (SELECT 1 FROM journal_payload WHERE seq = NEW.seq) OR EXISTS (SELECT 1 FROM journal_destruction WHERE seq = NEW.seq)
BEGIN SELECT RAISE(ABORT, 'append-only'); END;
CREATE TRIGGER journal_destruction_stays BEFORE UPDATE ON journal_destruction BEGIN SELECT RAISE(ABORT, 'append-only'); END;
CREATE TRIGGER journal_destruction_is_kept BEFORE DELETE ON journal_destruction BEGIN SELECT RAISE(ABORT, 'append-only'); END;
CREATE INDEX journal_by_action ON journal_event (action, seq);
