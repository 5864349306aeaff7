-- Roles of the three administrators that one person has asked for and another has yet to sign (src/accounts/signature.rs).
CREATE TABLE role_proposal (
    id          INTEGER PRIMARY KEY,
    account     INTEGER NOT NULL REFERENCES account (id),
    role        TEXT NOT NULL,
    proposed_by TEXT NOT NULL, -- the person's name; empty: at the command line
    at_ms       INTEGER NOT NULL,
    UNIQUE (account, role)
) STRICT;

-- Logins of the last quarter of an hour that failed, and those that forgave them, so that a restart forgives nothing
-- (src/accounts/limit.rs). Few rows: old ones go with each new one.
CREATE TABLE login_try (
    id     INTEGER PRIMARY KEY,
    at_ms  INTEGER NOT NULL,
    login  TEXT NOT NULL, -- empty where there is no such account: people type passwords into the wrong field
    source TEXT NOT NULL,
    device BLOB,
    failed INTEGER NOT NULL CHECK (failed IN (0, 1))
) STRICT;
