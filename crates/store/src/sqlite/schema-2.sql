-- The reports and their destinations.

-- The counts that are in a report already. The rest goes into the next report about the day.
ALTER TABLE domain_of_day ADD COLUMN reported INTEGER NOT NULL DEFAULT 0;
ALTER TABLE sessions ADD COLUMN reported_succeeded INTEGER NOT NULL DEFAULT 0;
ALTER TABLE sessions ADD COLUMN reported_failed INTEGER NOT NULL DEFAULT 0;
ALTER TABLE failures ADD COLUMN reported INTEGER NOT NULL DEFAULT 0;

-- number counts the reports about one domain and day, from 1.
CREATE TABLE report (
    id INTEGER PRIMARY KEY,
    day INTEGER NOT NULL,
    domain TEXT NOT NULL,
    number INTEGER NOT NULL,
    report_id TEXT NOT NULL,
    made INTEGER NOT NULL,
    file_name TEXT NOT NULL,
    compressed BLOB NOT NULL,
    summary TEXT NOT NULL,
    succeeded INTEGER NOT NULL,
    failed INTEGER NOT NULL,
    UNIQUE (day, domain, number)
);

-- One destination of a report. started is set while an attempt is under way: after a crash, its outcome is unknown.
CREATE TABLE delivery (
    id INTEGER PRIMARY KEY,
    report INTEGER NOT NULL REFERENCES report ON DELETE CASCADE,
    destination TEXT NOT NULL,
    -- Part of the envelope sender of a mail, so that only who got the mail can return it.
    token INTEGER NOT NULL,
    -- The domain of a mail address. NULL for HTTPS.
    mail_domain TEXT,
    state TEXT NOT NULL CHECK (state IN ('waiting', 'delivered', 'failed', 'suppressed', 'cancelled')),
    attempts INTEGER NOT NULL DEFAULT 0,
    started INTEGER,
    first_attempt INTEGER,
    last_attempt INTEGER,
    next_attempt INTEGER,
    -- An attempt ended without an answer, so the destination may have the report already.
    unknown INTEGER NOT NULL DEFAULT 0,
    answer TEXT NOT NULL DEFAULT '',
    warning TEXT,
    UNIQUE (report, destination)
);
CREATE INDEX delivery_due ON delivery (state, next_attempt);
-- One for each route, so that a search for one route does not read the waiting deliveries of the other.
CREATE INDEX delivery_due_by_mail ON delivery (next_attempt)
    WHERE mail_domain IS NOT NULL AND state = 'waiting' AND started IS NULL;
CREATE INDEX delivery_due_by_https ON delivery (next_attempt)
    WHERE mail_domain IS NULL AND state = 'waiting' AND started IS NULL;
CREATE INDEX delivery_of_destination ON delivery (destination, last_attempt);
CREATE INDEX delivery_of_mail_domain ON delivery (mail_domain, last_attempt);

-- target is a destination or a domain. days is the length of a suppression by a bounce; NULL if an operator made it.
CREATE TABLE suppression (
    target TEXT NOT NULL PRIMARY KEY,
    until INTEGER,
    days INTEGER,
    reason TEXT NOT NULL
) WITHOUT ROWID;

-- The counts in reports of domains under the DANE policies of an MX host, until the host has its own report. content is
-- JSON.
CREATE TABLE mx_host_share (
    id INTEGER PRIMARY KEY,
    day INTEGER NOT NULL,
    host TEXT NOT NULL,
    content TEXT NOT NULL,
    -- When the TLSRPT record of the host is looked up next.
    next_lookup INTEGER NOT NULL
);
CREATE INDEX mx_host_share_of_host ON mx_host_share (day, host, next_lookup);
