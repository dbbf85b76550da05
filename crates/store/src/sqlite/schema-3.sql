-- The reports that others sent.

-- key is a hash of organization and report_id, hash one of the JSON text, whose length is bytes.
CREATE TABLE received (
    id INTEGER PRIMARY KEY,
    key BLOB NOT NULL,
    hash BLOB NOT NULL,
    organization TEXT NOT NULL,
    report_id TEXT NOT NULL,
    day INTEGER NOT NULL,
    arrived INTEGER NOT NULL,
    signature TEXT NOT NULL,
    bytes INTEGER NOT NULL,
    compressed BLOB NOT NULL,
    UNIQUE (key, hash)
);
-- For the sums of the limits and for the removal of old reports.
CREATE INDEX received_bytes ON received (arrived, bytes);
CREATE INDEX received_day ON received (day);

CREATE TABLE received_domain (
    received INTEGER NOT NULL REFERENCES received ON DELETE CASCADE,
    domain TEXT NOT NULL,
    succeeded INTEGER NOT NULL,
    failed INTEGER NOT NULL,
    PRIMARY KEY (received, domain)
) WITHOUT ROWID;

CREATE TABLE received_failure (
    received INTEGER NOT NULL,
    domain TEXT NOT NULL,
    result_type TEXT NOT NULL,
    sessions INTEGER NOT NULL,
    PRIMARY KEY (received, domain, result_type),
    FOREIGN KEY (received, domain) REFERENCES received_domain ON DELETE CASCADE
) WITHOUT ROWID;
