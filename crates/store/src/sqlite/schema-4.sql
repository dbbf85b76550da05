-- Domains whose sessions have begun to fail.

-- The counts of a day that were judged already.
CREATE TABLE judged (
    domain TEXT NOT NULL PRIMARY KEY,
    day INTEGER NOT NULL,
    events INTEGER NOT NULL,
    failed INTEGER NOT NULL
) WITHOUT ROWID;

-- tried is when an attempt to tell the operator was begun. told is when one succeeded.
CREATE TABLE alert (
    domain TEXT NOT NULL PRIMARY KEY,
    begun INTEGER NOT NULL,
    events INTEGER NOT NULL,
    failed INTEGER NOT NULL,
    reasons TEXT NOT NULL,
    tried INTEGER,
    told INTEGER,
    problem TEXT NOT NULL DEFAULT ''
) WITHOUT ROWID;
