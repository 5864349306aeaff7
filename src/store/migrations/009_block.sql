-- Cases of blocking (src/block/store.rs): each kept as a whole, and never deleted. What was done stands in the journal too.
CREATE TABLE block_case (
    id      INTEGER PRIMARY KEY,
    machine TEXT NOT NULL,
    phase   TEXT NOT NULL,
    is_over INTEGER NOT NULL CHECK (is_over IN (0, 1)),
    opened  INTEGER NOT NULL, -- milliseconds since 1970, as all times here
    changed INTEGER NOT NULL,
    state   TEXT NOT NULL -- all of it, JSON
) STRICT;
CREATE INDEX block_case_by_over ON block_case (is_over, opened);
CREATE INDEX block_case_by_machine ON block_case (machine, opened);

-- What is held now: by device, port or address, and kind of order, with what was there before the first case.
CREATE TABLE block_hold (
    device TEXT NOT NULL,
    place  TEXT NOT NULL,
    kind   TEXT NOT NULL,
    state  TEXT NOT NULL, -- JSON
    PRIMARY KEY (device, place, kind)
) STRICT, WITHOUT ROWID;

-- What persons want; taken by the desk in the order of the numbers.
CREATE TABLE block_wish (
    id     INTEGER PRIMARY KEY AUTOINCREMENT,
    at     INTEGER NOT NULL,
    path   TEXT NOT NULL, -- JSON: page, api or command, with the person
    wish   TEXT NOT NULL, -- JSON
    answer TEXT           -- what became of it; not there while nobody has taken it
) STRICT;
CREATE INDEX block_wish_open ON block_wish (id) WHERE answer IS NULL;

-- The breaker and the freeze: one row.
CREATE TABLE block_brake (
    id    INTEGER PRIMARY KEY CHECK (id = 1),
    state TEXT NOT NULL -- JSON
) STRICT;

CREATE TRIGGER block_case_is_kept BEFORE DELETE ON block_case BEGIN SELECT RAISE(ABORT, 'cases are kept'); END;
