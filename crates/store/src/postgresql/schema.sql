-- Days are numbers such as 20261124; times are seconds since 1970 by the clock of the server. Rows with the number 0 stand
-- for everything beyond a limit. All is in the schema tlsrpt, which search_path names. Collectors call the functions below
-- and need no other privilege: a function runs with the privileges of its owner. Who may call which is in docs/many-hosts.md,
-- except for the two functions that change nothing, which each role of the schema needs.

CREATE TABLE version (version integer NOT NULL);

CREATE FUNCTION schema_version() RETURNS integer LANGUAGE sql STABLE SECURITY DEFINER SET search_path = tlsrpt, pg_temp
    AS 'SELECT version FROM version';
GRANT EXECUTE ON FUNCTION schema_version() TO PUBLIC;

-- The last batch of each writer, so that a batch whose outcome was unknown is not counted twice.
CREATE TABLE writer (
    name text NOT NULL PRIMARY KEY,
    batch bigint NOT NULL,
    day bigint NOT NULL
);

-- A host that passes batches on. clock_difference is in milliseconds: its clock minus that of the server.
CREATE TABLE host (
    name text NOT NULL PRIMARY KEY,
    host_time bigint NOT NULL,
    checked_in bigint NOT NULL,
    clock_difference bigint NOT NULL,
    complete_before bigint NOT NULL,
    last_batch bigint,
    spool_batches bigint NOT NULL,
    spool_bytes bigint NOT NULL
);

-- The totals of a day. domains, policies and failures are the numbers of rows in the tables below.
CREATE TABLE day (
    day bigint NOT NULL PRIMARY KEY,
    events bigint NOT NULL DEFAULT 0,
    failed bigint NOT NULL DEFAULT 0,
    domains bigint NOT NULL DEFAULT 0,
    policies bigint NOT NULL DEFAULT 0,
    failures bigint NOT NULL DEFAULT 0,
    dropped bigint NOT NULL DEFAULT 0,
    last_event bigint
) WITH (fillfactor = 50);

-- The events of a day that are in a report, so that no search of all domains tells whether there are others. Not in the table
-- day, whose row a batch locks before it waits for the row of a domain that is being reported.
CREATE TABLE day_reported (
    day bigint NOT NULL PRIMARY KEY,
    events bigint NOT NULL
) WITH (fillfactor = 50);

CREATE TABLE invalid (
    day bigint NOT NULL,
    reason text NOT NULL,
    datagrams bigint NOT NULL,
    PRIMARY KEY (day, reason)
);

-- Each text is stored once, for all days and domains. A hash is the first half of a SHA-256. Names are ordered by their
-- bytes, whatever the locale of the database is.
CREATE TABLE domain (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text COLLATE "C" NOT NULL UNIQUE
);

CREATE TABLE record (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    hash bytea NOT NULL UNIQUE,
    content text NOT NULL
);

-- A policy and a failure in JSON, as in the datagram, with sorted members.
CREATE TABLE policy (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    hash bytea NOT NULL UNIQUE,
    content text,
    CONSTRAINT has_content CHECK (content IS NOT NULL OR id = 0)
);

CREATE TABLE failure (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    hash bytea NOT NULL UNIQUE,
    content text,
    CONSTRAINT has_content CHECK (content IS NOT NULL OR id = 0)
);

INSERT INTO domain (id, name) OVERRIDING SYSTEM VALUE VALUES (0, '(domains over the limit)');
INSERT INTO record (id, hash, content) OVERRIDING SYSTEM VALUE VALUES (0, '', '');
INSERT INTO policy (id, hash) OVERRIDING SYSTEM VALUE VALUES (0, '');
INSERT INTO failure (id, hash) OVERRIDING SYSTEM VALUE VALUES (0, '');

-- The counters, and those of them that are in a report already. The rest goes into the next report about the day. Only
-- add_batch writes them, so they have no foreign keys, which would cost more than the counting. Room is left in each page
-- for the new versions of its rows, so that a count does not touch the indexes.
CREATE TABLE domain_of_day (
    day bigint NOT NULL,
    domain bigint NOT NULL,
    events bigint NOT NULL,
    failed bigint NOT NULL,
    reported bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (day, domain)
) WITH (fillfactor = 80);

CREATE TABLE sessions (
    day bigint NOT NULL,
    domain bigint NOT NULL,
    record bigint NOT NULL,
    policy bigint NOT NULL,
    succeeded bigint NOT NULL,
    failed bigint NOT NULL,
    reported_succeeded bigint NOT NULL DEFAULT 0,
    reported_failed bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (day, domain, record, policy)
) WITH (fillfactor = 80);

CREATE TABLE failures (
    day bigint NOT NULL,
    domain bigint NOT NULL,
    record bigint NOT NULL,
    policy bigint NOT NULL,
    failure bigint NOT NULL,
    times bigint NOT NULL,
    reported bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (day, domain, record, policy, failure)
) WITH (fillfactor = 80);

-- number counts the reports about one domain and day, from 1.
CREATE TABLE report (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    day bigint NOT NULL,
    domain text COLLATE "C" NOT NULL,
    number integer NOT NULL,
    report_id text NOT NULL,
    made bigint NOT NULL,
    file_name text NOT NULL,
    compressed bytea NOT NULL,
    summary text NOT NULL,
    succeeded bigint NOT NULL,
    failed bigint NOT NULL,
    UNIQUE (day, domain, number)
);

-- A process that works as a reporter, until this time unless it says so again.
CREATE TABLE reporter (
    name text NOT NULL PRIMARY KEY,
    works_until bigint NOT NULL
);

-- One destination of a report. While an attempt is under way, started is set, and reporter has the lease until
-- leased_until: then its outcome is unknown, and another reporter may take it.
CREATE TABLE delivery (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    report bigint NOT NULL REFERENCES report ON DELETE CASCADE,
    destination text NOT NULL,
    -- Part of the envelope sender of a mail, so that only who got the mail can return it.
    token bigint NOT NULL,
    -- The domain of a mail address. NULL for HTTPS.
    mail_domain text,
    state text NOT NULL CHECK (state IN ('waiting', 'delivered', 'failed', 'suppressed', 'cancelled')),
    attempts integer NOT NULL DEFAULT 0,
    started bigint,
    reporter text,
    leased_until bigint,
    first_attempt bigint,
    last_attempt bigint,
    next_attempt bigint,
    -- An attempt ended without an answer, so the destination may have the report already.
    unknown boolean NOT NULL DEFAULT false,
    answer text NOT NULL DEFAULT '',
    warning text
) WITH (fillfactor = 80);
-- By hash, because strangers choose the length of a destination, and the one of a row of an index is limited.
CREATE UNIQUE INDEX delivery_once ON delivery (report, md5(destination));
-- One for each route, so that a search for one route does not read the waiting deliveries of the other.
CREATE INDEX delivery_due_by_mail ON delivery (next_attempt, id)
    WHERE mail_domain IS NOT NULL AND state = 'waiting' AND started IS NULL;
CREATE INDEX delivery_due_by_https ON delivery (next_attempt, id)
    WHERE mail_domain IS NULL AND state = 'waiting' AND started IS NULL;
CREATE INDEX delivery_under_way ON delivery (leased_until) WHERE started IS NOT NULL;
CREATE INDEX delivery_in_mail_domain ON delivery (mail_domain, last_attempt) WHERE state = 'delivered';

-- Attempts at a destination in an hour, which begins at this time, by all reporters.
CREATE TABLE destination_hour (
    hour bigint NOT NULL,
    destination text NOT NULL,
    attempts bigint NOT NULL,
    PRIMARY KEY (hour, destination)
) WITH (fillfactor = 80);

-- target is a destination or a domain. days is the length of a suppression by a bounce; NULL if an operator made it.
CREATE TABLE suppression (
    target text COLLATE "C" NOT NULL PRIMARY KEY,
    until bigint,
    days integer,
    reason text NOT NULL
);

-- The MX hosts that wait for a report of their own, and when their TLSRPT record is looked up next.
CREATE TABLE mx_host (
    day bigint NOT NULL,
    host text COLLATE "C" NOT NULL,
    next_lookup bigint NOT NULL,
    PRIMARY KEY (day, host)
);

-- The counts in reports of domains under the DANE policies of an MX host, until the host has its own report. content is
-- JSON.
CREATE TABLE mx_host_share (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    day bigint NOT NULL,
    host text COLLATE "C" NOT NULL,
    content text NOT NULL
);
CREATE INDEX mx_host_share_of_host ON mx_host_share (day, host, id);

-- The time of the server.
CREATE FUNCTION server_time() RETURNS bigint LANGUAGE sql VOLATILE SET search_path = pg_catalog
    AS 'SELECT floor(extract(epoch FROM clock_timestamp()))::bigint';
GRANT EXECUTE ON FUNCTION server_time() TO PUBLIC;

CREATE FUNCTION last_batch(of_writer text) RETURNS bigint LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path = tlsrpt, pg_temp
    AS 'SELECT coalesce((SELECT batch FROM writer WHERE name = of_writer), 0)';

CREATE FUNCTION check_in(name text, now_ms bigint, complete_before bigint, last_batch bigint, spool_batches bigint, spool_bytes bigint)
    RETURNS void LANGUAGE sql SECURITY DEFINER SET search_path = tlsrpt, pg_temp
    AS $$
INSERT INTO host (name, host_time, checked_in, clock_difference, complete_before, last_batch, spool_batches, spool_bytes)
    VALUES ($1, $2 / 1000, server_time(), $2 - floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint, $3, $4, $5, $6)
    ON CONFLICT (name) DO UPDATE SET host_time = excluded.host_time, checked_in = excluded.checked_in,
        clock_difference = excluded.clock_difference, complete_before = excluded.complete_before,
        last_batch = excluded.last_batch, spool_batches = excluded.spool_batches, spool_bytes = excluded.spool_bytes
$$;

-- Adds a batch, in one transaction. A batch that was added before changes nothing. Arrays of one letter and name have the
-- same length; numbers of items in other arrays begin at 1. A content is NULL where the caller knows that the server has
-- the text; where it has not, has_content is violated, and the caller sends all.
--
-- The row of the day is locked first, so batches of one day are added one after the other and the limits hold. A batch with
-- new texts locks the table record, so those of different days do not deadlock. A lock of the table domain keeps texts from
-- being removed meanwhile.
CREATE FUNCTION add_batch(
    of_writer text, number bigint, of_day bigint, last bigint, datagrams_dropped bigint,
    max_domains bigint, max_policies bigint, max_failures bigint,
    reasons text[], datagrams bigint[],
    record_hashes bytea[], record_contents text[],
    policy_hashes bytea[], policy_contents text[],
    failure_hashes bytea[], failure_contents text[],
    d_name text[], d_events bigint[], d_failed bigint[],
    s_domain integer[], s_record integer[], s_policy integer[], s_succeeded bigint[], s_failed bigint[],
    f_session integer[], f_failure integer[], f_times bigint[],
    OUT before boolean, OUT beyond_domains bigint, OUT beyond_policies bigint, OUT beyond_failures bigint
) LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = tlsrpt, pg_temp
    -- Each row is found by its key, whatever the planner knows of the tables: a day grows faster than its statistics. Only a
    -- generic plan gets the arrays as they are in the function, whose items are at hand; in another each subscript of an
    -- array of texts reads the array from its start.
    SET enable_seqscan = off SET enable_bitmapscan = off SET enable_material = off SET enable_hashjoin = off
    SET enable_mergejoin = off SET jit = off SET plan_cache_mode = force_generic_plan
    AS $$
#variable_conflict use_column
DECLARE
    had day%ROWTYPE;
    domains bigint[];
    records bigint[];
    policies bigint[];
    failure_ids bigint[];
    -- Whether each session has a row of its own, in it its policy.
    s_within boolean[];
    f_within boolean[];
    new_domains bigint;
    new_policies bigint;
    new_failures bigint;
BEGIN
    LOCK TABLE domain IN ROW SHARE MODE;
    INSERT INTO writer AS w (name, batch, day) VALUES (of_writer, number, of_day)
        ON CONFLICT (name) DO UPDATE SET batch = excluded.batch, day = excluded.day WHERE excluded.batch > w.batch;
    before := NOT FOUND;
    beyond_domains := 0;
    beyond_policies := 0;
    beyond_failures := 0;
    IF before THEN
        RETURN;
    END IF;
    INSERT INTO day (day) VALUES (of_day) ON CONFLICT DO NOTHING;
    SELECT * INTO had FROM day WHERE day = of_day FOR UPDATE;

    -- Domains: the number of each, -1 for one that is to be inserted, 0 beyond the limit.
    SELECT array_agg(CASE WHEN has_row OR rank <= max_domains - had.domains THEN coalesce(id, -1) ELSE 0 END ORDER BY n),
            coalesce(least(count(*) FILTER (WHERE NOT has_row), greatest(max_domains - had.domains, 0)), 0)
        INTO domains, new_domains
        FROM (SELECT n, id, has_row, row_number() OVER (PARTITION BY has_row ORDER BY n) AS rank
            FROM (SELECT b.n, d.id, o.domain IS NOT NULL AS has_row
                FROM unnest(d_name) WITH ORDINALITY AS b (name, n) LEFT JOIN domain AS d ON d.name = b.name
                LEFT JOIN domain_of_day AS o ON o.day = of_day AND o.domain = d.id) AS found) AS ranked;
    IF -1 = ANY (domains) THEN
        LOCK TABLE record IN SHARE ROW EXCLUSIVE MODE;
        INSERT INTO domain (name) SELECT b.name FROM unnest(domains, d_name) WITH ORDINALITY AS b (id, name, n)
            WHERE b.id = -1 ORDER BY b.n ON CONFLICT DO NOTHING;
        SELECT array_agg(CASE WHEN b.id = -1 THEN d.id ELSE b.id END ORDER BY n) INTO domains
            FROM unnest(domains, d_name) WITH ORDINALITY AS b (id, name, n) LEFT JOIN domain AS d ON d.name = b.name;
    END IF;
    INSERT INTO domain_of_day AS o (day, domain, events, failed)
        SELECT of_day, b.id, sum(b.events), sum(b.failed) FROM unnest(domains, d_events, d_failed) AS b (id, events, failed)
            GROUP BY b.id ORDER BY b.id
        ON CONFLICT (day, domain) DO UPDATE SET events = o.events + excluded.events, failed = o.failed + excluded.failed;
    SELECT coalesce(sum(b.events), 0) INTO beyond_domains FROM unnest(domains, d_events) AS b (id, events) WHERE b.id = 0;

    -- Sessions: policies of a domain that has a row, within the limit.
    SELECT array_agg(coalesce(t.id, -1) ORDER BY n) INTO records
        FROM unnest(record_hashes) WITH ORDINALITY AS b (hash, n) LEFT JOIN record AS t ON t.hash = b.hash;
    SELECT array_agg(coalesce(t.id, -1) ORDER BY n) INTO policies
        FROM unnest(policy_hashes) WITH ORDINALITY AS b (hash, n) LEFT JOIN policy AS t ON t.hash = b.hash;
    SELECT array_agg(domain <> 0 AND (has_row OR rank <= max_policies - had.policies) ORDER BY n),
            coalesce(least(count(*) FILTER (WHERE domain <> 0 AND NOT has_row), greatest(max_policies - had.policies, 0)), 0)
        INTO s_within, new_policies
        FROM (SELECT n, domain, has_row, row_number() OVER (PARTITION BY domain <> 0 AND NOT has_row ORDER BY n) AS rank
            FROM (SELECT b.n, domains[b.domain] AS domain, s.day IS NOT NULL AS has_row
                FROM unnest(s_domain, s_record, s_policy) WITH ORDINALITY AS b (domain, record, policy, n)
                LEFT JOIN sessions AS s ON s.day = of_day AND s.domain = domains[b.domain]
                    AND s.record = records[b.record] AND s.policy = policies[b.policy]) AS found) AS ranked;
    IF new_policies > 0 THEN
        LOCK TABLE record IN SHARE ROW EXCLUSIVE MODE;
        INSERT INTO record (hash, content)
            SELECT record_hashes[b.n], record_contents[b.n]
                FROM (SELECT DISTINCT w.n FROM unnest(s_record, s_within) AS w (n, within)
                    WHERE w.within AND records[w.n] = -1) AS b
                ORDER BY b.n ON CONFLICT (hash) DO NOTHING;
        INSERT INTO policy (hash, content)
            SELECT policy_hashes[b.n], policy_contents[b.n]
                FROM (SELECT DISTINCT w.n FROM unnest(s_policy, s_within) AS w (n, within)
                    WHERE w.within AND policies[w.n] = -1) AS b
                ORDER BY b.n ON CONFLICT (hash) DO NOTHING;
        SELECT array_agg(coalesce(t.id, -1) ORDER BY n) INTO records
            FROM unnest(record_hashes) WITH ORDINALITY AS b (hash, n) LEFT JOIN record AS t ON t.hash = b.hash;
        SELECT array_agg(coalesce(t.id, -1) ORDER BY n) INTO policies
            FROM unnest(policy_hashes) WITH ORDINALITY AS b (hash, n) LEFT JOIN policy AS t ON t.hash = b.hash;
    END IF;
    INSERT INTO sessions AS s (day, domain, record, policy, succeeded, failed)
        SELECT of_day, domains[b.domain], CASE WHEN b.within THEN records[b.record] ELSE 0 END,
                CASE WHEN b.within THEN policies[b.policy] ELSE 0 END, sum(b.succeeded), sum(b.failed)
            FROM unnest(s_domain, s_record, s_policy, s_within, s_succeeded, s_failed)
                AS b (domain, record, policy, within, succeeded, failed)
            GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4
        ON CONFLICT (day, domain, record, policy)
            DO UPDATE SET succeeded = s.succeeded + excluded.succeeded, failed = s.failed + excluded.failed;
    SELECT coalesce(sum(b.succeeded + b.failed), 0) INTO beyond_policies
        FROM unnest(s_domain, s_within, s_succeeded, s_failed) AS b (domain, within, succeeded, failed)
        WHERE NOT b.within AND domains[b.domain] <> 0;

    -- Failures under a policy that has a row, within the limit.
    IF cardinality(f_session) > 0 THEN
        SELECT array_agg(coalesce(t.id, -1) ORDER BY n) INTO failure_ids
            FROM unnest(failure_hashes) WITH ORDINALITY AS b (hash, n) LEFT JOIN failure AS t ON t.hash = b.hash;
        SELECT array_agg(within AND (has_row OR rank <= max_failures - had.failures) ORDER BY n),
                coalesce(least(count(*) FILTER (WHERE within AND NOT has_row), greatest(max_failures - had.failures, 0)), 0)
            INTO f_within, new_failures
            FROM (SELECT n, within, has_row, row_number() OVER (PARTITION BY within AND NOT has_row ORDER BY n) AS rank
                FROM (SELECT b.n, s_within[b.session] AS within, f.day IS NOT NULL AS has_row
                    FROM unnest(f_session, f_failure) WITH ORDINALITY AS b (session, failure, n)
                    LEFT JOIN failures AS f ON f.day = of_day AND f.domain = domains[s_domain[b.session]]
                        AND f.record = records[s_record[b.session]] AND f.policy = policies[s_policy[b.session]]
                        AND f.failure = failure_ids[b.failure]) AS found) AS ranked;
        IF new_failures > 0 THEN
            LOCK TABLE record IN SHARE ROW EXCLUSIVE MODE;
            INSERT INTO failure (hash, content)
                SELECT failure_hashes[b.n], failure_contents[b.n]
                    FROM (SELECT DISTINCT w.n FROM unnest(f_failure, f_within) AS w (n, within)
                        WHERE w.within AND failure_ids[w.n] = -1) AS b
                    ORDER BY b.n ON CONFLICT (hash) DO NOTHING;
            SELECT array_agg(coalesce(t.id, -1) ORDER BY n) INTO failure_ids
                FROM unnest(failure_hashes) WITH ORDINALITY AS b (hash, n) LEFT JOIN failure AS t ON t.hash = b.hash;
        END IF;
        INSERT INTO failures AS f (day, domain, record, policy, failure, times)
            SELECT of_day, domains[s_domain[b.session]],
                    CASE WHEN s_within[b.session] THEN records[s_record[b.session]] ELSE 0 END,
                    CASE WHEN s_within[b.session] THEN policies[s_policy[b.session]] ELSE 0 END,
                    CASE WHEN b.within THEN failure_ids[b.failure] ELSE 0 END, sum(b.times)
                FROM unnest(f_session, f_failure, f_within, f_times) AS b (session, failure, within, times)
                GROUP BY 1, 2, 3, 4, 5 ORDER BY 1, 2, 3, 4, 5
            ON CONFLICT (day, domain, record, policy, failure) DO UPDATE SET times = f.times + excluded.times;
        SELECT coalesce(sum(b.times), 0) INTO beyond_failures
            FROM unnest(f_session, f_within, f_times) AS b (session, within, times)
            WHERE NOT b.within AND s_within[b.session];
    END IF;

    INSERT INTO invalid AS i (day, reason, datagrams)
        SELECT of_day, b.reason, sum(b.datagrams) FROM unnest(reasons, datagrams) AS b (reason, datagrams)
            GROUP BY b.reason ORDER BY b.reason
        ON CONFLICT (day, reason) DO UPDATE SET datagrams = i.datagrams + excluded.datagrams;
    UPDATE day AS t SET
        events = t.events + coalesce((SELECT sum(b.events) FROM unnest(d_events) AS b (events)), 0),
        failed = t.failed + coalesce((SELECT sum(b.failed) FROM unnest(d_failed) AS b (failed)), 0),
        domains = t.domains + new_domains, policies = t.policies + new_policies,
        failures = t.failures + coalesce(new_failures, 0),
        dropped = t.dropped + datagrams_dropped,
        last_event = greatest(t.last_event, last)
        WHERE t.day = of_day;
END
$$;
