-- Incidents: what is so now and what was, with a log whose numbers programs go on from. The log is never changed.
CREATE TABLE incident (
    id       INTEGER PRIMARY KEY,
    subject  TEXT NOT NULL, -- device:NAME, port:DEVICE/PORT ...
    family   TEXT NOT NULL,
    rule     TEXT NOT NULL,
    phase    TEXT NOT NULL CHECK (phase IN ('open', 'cleared', 'merged')),
    severity INTEGER NOT NULL CHECK (severity BETWEEN 0 AND 3),
    opened   INTEGER NOT NULL, -- milliseconds since 1970, as all times here
    changed  INTEGER NOT NULL,
    cleared  INTEGER,
    state    TEXT NOT NULL -- all of it, JSON
) STRICT;
CREATE INDEX incident_by_phase ON incident (phase, changed);
CREATE INDEX incident_by_subject ON incident (subject, opened);

CREATE TABLE incident_event (
    id       INTEGER PRIMARY KEY AUTOINCREMENT, -- the id of the stream
    incident INTEGER NOT NULL REFERENCES incident (id),
    at       INTEGER NOT NULL,
    change   TEXT NOT NULL,
    person   TEXT,
    comment  TEXT,
    state    TEXT NOT NULL -- all of it, JSON
) STRICT;
CREATE INDEX incident_event_by_incident ON incident_event (incident, id);

CREATE TABLE incident_child (
    incident INTEGER NOT NULL REFERENCES incident (id),
    subject  TEXT NOT NULL,
    family   TEXT NOT NULL,
    rule     TEXT NOT NULL,
    severity INTEGER NOT NULL,
    joined   INTEGER NOT NULL,
    gone     INTEGER,
    PRIMARY KEY (incident, subject, family)
) STRICT, WITHOUT ROWID;

-- What judges have raised and not cleared: the engine's memory over a restart.
CREATE TABLE incident_condition (
    subject TEXT NOT NULL,
    family  TEXT NOT NULL,
    state   TEXT NOT NULL,
    PRIMARY KEY (subject, family)
) STRICT, WITHOUT ROWID;

CREATE TABLE incident_window (
    id      INTEGER PRIMARY KEY AUTOINCREMENT,
    made    INTEGER NOT NULL,
    ended   INTEGER, -- taken back by somebody
    state   TEXT NOT NULL
) STRICT;

CREATE TRIGGER incident_event_is_kept BEFORE DELETE ON incident_event BEGIN SELECT RAISE(ABORT, 'the log of incidents is kept'); END;
CREATE TRIGGER incident_event_is_final BEFORE UPDATE ON incident_event BEGIN SELECT RAISE(ABORT, 'the log of incidents is not changed'); END;
