-- The reports that others sent.

-- key is a hash of organization and report_id, hash one of the JSON text, whose length is bytes.
CREATE TABLE received (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    key bytea NOT NULL,
    hash bytea NOT NULL,
    organization text NOT NULL,
    report_id text NOT NULL,
    day bigint NOT NULL,
    arrived bigint NOT NULL,
    signature text NOT NULL,
    bytes bigint NOT NULL,
    compressed bytea NOT NULL,
    UNIQUE (key, hash)
);
-- For the sums of the limits and for the removal of old reports.
CREATE INDEX received_bytes ON received (arrived, bytes);
CREATE INDEX received_day ON received (day);

CREATE TABLE received_domain (
    received bigint NOT NULL REFERENCES received ON DELETE CASCADE,
    domain text COLLATE "C" NOT NULL,
    succeeded bigint NOT NULL,
    failed bigint NOT NULL,
    PRIMARY KEY (received, domain)
);

CREATE TABLE received_failure (
    received bigint NOT NULL,
    domain text COLLATE "C" NOT NULL,
    result_type text NOT NULL,
    sessions bigint NOT NULL,
    PRIMARY KEY (received, domain, result_type),
    FOREIGN KEY (received, domain) REFERENCES received_domain ON DELETE CASCADE
);
