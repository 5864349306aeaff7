-- The outbox. A notice is written in the transaction of the incident's change; what becomes of it is planned and sent later.
CREATE TABLE notice (
    id       INTEGER PRIMARY KEY,
    incident INTEGER NOT NULL,
    event    INTEGER NOT NULL,
    at       INTEGER NOT NULL,
    change   TEXT NOT NULL,
    rule     TEXT NOT NULL,
    body     TEXT NOT NULL, -- model::Notice as JSON
    planned  INTEGER NOT NULL DEFAULT 0,
    UNIQUE (incident, event)
) STRICT;
CREATE INDEX notice_unplanned ON notice (id) WHERE planned = 0;
CREATE INDEX notice_rule ON notice (rule, at);

-- One message to one recipient by one way.
CREATE TABLE delivery (
    id         INTEGER PRIMARY KEY,
    kind       TEXT NOT NULL CHECK (kind IN ('alarm', 'daily', 'second')),
    recipient  TEXT NOT NULL, -- as planned: 'duty', a person, 'hook:NAME'
    target     TEXT NOT NULL, -- whom it came to when it was sent
    channel    TEXT NOT NULL, -- 'mail' or the webhook's name
    pace       TEXT NOT NULL,
    state      TEXT NOT NULL,
    sealed     INTEGER NOT NULL DEFAULT 0, -- nothing joins it any more
    tries      INTEGER NOT NULL DEFAULT 0,
    repeats    INTEGER NOT NULL DEFAULT 0,
    created    INTEGER NOT NULL,
    since      INTEGER NOT NULL,
    due        INTEGER NOT NULL, -- when it was to be sent first
    not_before INTEGER NOT NULL,
    changed    INTEGER NOT NULL,
    sent       INTEGER,
    relayed    INTEGER NOT NULL DEFAULT 0, -- the second way was told of it
    message_id TEXT,
    why        TEXT NOT NULL,
    result     TEXT NOT NULL DEFAULT '',
    body       TEXT
) STRICT;
CREATE INDEX delivery_open ON delivery (channel, not_before) WHERE state IN ('queued', 'sending', 'deferred', 'uncertain');
CREATE INDEX delivery_recipient ON delivery (recipient, channel, id);
CREATE INDEX delivery_unsent ON delivery (due) WHERE relayed = 0 AND state NOT IN ('sent', 'spared');
CREATE INDEX delivery_changed ON delivery (changed);

-- Which notice went to whom in which delivery. The key keeps anybody from being told one thing twice by one way.
CREATE TABLE told (
    notice   INTEGER NOT NULL REFERENCES notice (id),
    channel  TEXT NOT NULL,
    target   TEXT NOT NULL,
    delivery INTEGER NOT NULL REFERENCES delivery (id),
    PRIMARY KEY (notice, channel, target)
) STRICT, WITHOUT ROWID;
CREATE INDEX told_delivery ON told (delivery, notice);

-- Incidents that nobody has taken on, with the next rung of the ladder.
CREATE TABLE escalation (
    incident INTEGER PRIMARY KEY,
    ladder   TEXT NOT NULL,
    notice   INTEGER NOT NULL REFERENCES notice (id),
    began    INTEGER NOT NULL,
    rung     INTEGER NOT NULL,
    due      INTEGER NOT NULL
) STRICT;

-- What is done once a day.
CREATE TABLE errand (
    name  TEXT NOT NULL,
    day   TEXT NOT NULL,
    at    INTEGER NOT NULL,
    state TEXT NOT NULL,
    PRIMARY KEY (name, day)
) STRICT, WITHOUT ROWID;
