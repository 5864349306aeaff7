-- Numbers of what is pinged and checked, given once for good: the series are kept under them.
CREATE TABLE watched (
    id         INTEGER PRIMARY KEY CHECK (id < 1048576),
    subject    TEXT NOT NULL UNIQUE,
    first_seen INTEGER NOT NULL,
    last_seen  INTEGER NOT NULL
) STRICT;
