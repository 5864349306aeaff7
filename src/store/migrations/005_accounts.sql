-- People and the accounts they log in with. Roles hang on accounts; what excludes what is judged over all accounts of a
-- person (src/accounts). All times are milliseconds since 1970.
CREATE TABLE person (
    id         INTEGER PRIMARY KEY,
    name       TEXT NOT NULL UNIQUE CHECK (name <> ''),
    created_ms INTEGER NOT NULL
) STRICT;

CREATE TABLE account (
    id           INTEGER PRIMARY KEY,
    person       INTEGER NOT NULL REFERENCES person (id),
    login        TEXT NOT NULL UNIQUE CHECK (login <> ''),
    password     TEXT NOT NULL, -- argon2id in PHC form
    must_change  INTEGER NOT NULL CHECK (must_change IN (0, 1)),
    disabled     INTEGER NOT NULL DEFAULT 0 CHECK (disabled IN (0, 1)),
    totp         BLOB CHECK (length(totp) = 20),         -- in force
    totp_pending BLOB CHECK (length(totp_pending) = 20), -- shown, not confirmed yet
    totp_used    INTEGER NOT NULL DEFAULT 0,             -- the last time step whose code was taken
    created_ms   INTEGER NOT NULL
) STRICT;

CREATE TABLE account_role (
    account    INTEGER NOT NULL REFERENCES account (id),
    role       TEXT NOT NULL,
    granted_ms INTEGER NOT NULL,
    PRIMARY KEY (account, role)
) STRICT, WITHOUT ROWID;

-- Of tokens of any kind only the SHA-256 is kept.
CREATE TABLE session (
    id         INTEGER PRIMARY KEY,
    account    INTEGER NOT NULL REFERENCES account (id),
    hash       BLOB NOT NULL UNIQUE CHECK (length(hash) = 32),
    source     TEXT NOT NULL,
    agent      TEXT NOT NULL,
    created_ms INTEGER NOT NULL,
    seen_ms    INTEGER NOT NULL,
    expires_ms INTEGER NOT NULL
) STRICT;
CREATE INDEX session_of_account ON session (account);

CREATE TABLE api_token (
    id         INTEGER PRIMARY KEY,
    account    INTEGER NOT NULL REFERENCES account (id),
    hash       BLOB NOT NULL UNIQUE CHECK (length(hash) = 32),
    name       TEXT NOT NULL CHECK (name <> ''),
    scopes     TEXT NOT NULL, -- words with a space between
    created_ms INTEGER NOT NULL,
    expires_ms INTEGER NOT NULL,
    used_ms    INTEGER
) STRICT;
CREATE INDEX api_token_of_account ON api_token (account);

CREATE TABLE recovery_code (
    account INTEGER NOT NULL REFERENCES account (id),
    hash    BLOB NOT NULL CHECK (length(hash) = 32),
    PRIMARY KEY (account, hash)
) STRICT, WITHOUT ROWID;

-- Browsers that have logged in to an account: strangers who guess cannot lock these out.
CREATE TABLE known_device (
    hash    BLOB PRIMARY KEY CHECK (length(hash) = 32),
    account INTEGER NOT NULL REFERENCES account (id),
    seen_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- The one-time link for the first administrator.
CREATE TABLE first_link (
    hash       BLOB PRIMARY KEY CHECK (length(hash) = 32),
    expires_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
