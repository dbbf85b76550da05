-- Domains whose sessions have begun to fail.

-- The counts of a day that were judged already.
CREATE TABLE judged (
    domain text COLLATE "C" NOT NULL PRIMARY KEY,
    day bigint NOT NULL,
    events bigint NOT NULL,
    failed bigint NOT NULL
);

-- tried is when an attempt to tell the operator was begun. told is when one succeeded.
CREATE TABLE alert (
    domain text COLLATE "C" NOT NULL PRIMARY KEY,
    begun bigint NOT NULL,
    events bigint NOT NULL,
    failed bigint NOT NULL,
    reasons text NOT NULL,
    tried bigint,
    told bigint,
    problem text NOT NULL DEFAULT ''
);
