-- Days are numbers such as 20261124; times are seconds since 1970. Rows with the number 0 stand for everything beyond a
-- limit.

-- The last batch of each writer, so that a batch whose outcome was unknown is not counted twice.
CREATE TABLE writer (
    name TEXT NOT NULL PRIMARY KEY,
    batch INTEGER NOT NULL,
    day INTEGER NOT NULL
) WITHOUT ROWID;

-- The totals of a day. domains, policies and failures are the numbers of rows in the tables below.
CREATE TABLE day (
    day INTEGER NOT NULL PRIMARY KEY,
    events INTEGER NOT NULL DEFAULT 0,
    failed INTEGER NOT NULL DEFAULT 0,
    domains INTEGER NOT NULL DEFAULT 0,
    policies INTEGER NOT NULL DEFAULT 0,
    failures INTEGER NOT NULL DEFAULT 0,
    dropped INTEGER NOT NULL DEFAULT 0,
    last_event INTEGER
);

CREATE TABLE invalid (
    day INTEGER NOT NULL REFERENCES day ON DELETE CASCADE,
    reason TEXT NOT NULL,
    datagrams INTEGER NOT NULL,
    PRIMARY KEY (day, reason)
) WITHOUT ROWID;

-- Each text is stored once, for all days and domains. A hash is the first half of a SHA-256.
CREATE TABLE domain (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE
);

CREATE TABLE record (
    id INTEGER PRIMARY KEY,
    hash BLOB NOT NULL UNIQUE,
    content TEXT NOT NULL
);

-- A policy and a failure in JSON, as in the datagram, with sorted members.
CREATE TABLE policy (
    id INTEGER PRIMARY KEY,
    hash BLOB NOT NULL UNIQUE,
    content TEXT
);

CREATE TABLE failure (
    id INTEGER PRIMARY KEY,
    hash BLOB NOT NULL UNIQUE,
    content TEXT
);

CREATE TABLE domain_of_day (
    day INTEGER NOT NULL REFERENCES day ON DELETE CASCADE,
    domain INTEGER NOT NULL REFERENCES domain,
    events INTEGER NOT NULL,
    failed INTEGER NOT NULL,
    PRIMARY KEY (day, domain)
) WITHOUT ROWID;

CREATE TABLE sessions (
    day INTEGER NOT NULL,
    domain INTEGER NOT NULL,
    record INTEGER NOT NULL REFERENCES record,
    policy INTEGER NOT NULL REFERENCES policy,
    succeeded INTEGER NOT NULL,
    failed INTEGER NOT NULL,
    PRIMARY KEY (day, domain, record, policy),
    FOREIGN KEY (day, domain) REFERENCES domain_of_day ON DELETE CASCADE
) WITHOUT ROWID;

CREATE TABLE failures (
    day INTEGER NOT NULL,
    domain INTEGER NOT NULL,
    record INTEGER NOT NULL,
    policy INTEGER NOT NULL,
    failure INTEGER NOT NULL REFERENCES failure,
    times INTEGER NOT NULL,
    PRIMARY KEY (day, domain, record, policy, failure),
    FOREIGN KEY (day, domain, record, policy) REFERENCES sessions ON DELETE CASCADE
) WITHOUT ROWID;

INSERT INTO domain (id, name) VALUES (0, '(domains over the limit)');
INSERT INTO record (id, hash, content) VALUES (0, x'', '');
INSERT INTO policy (id, hash, content) VALUES (0, x'', NULL);
INSERT INTO failure (id, hash, content) VALUES (0, x'', NULL);
