-- Days are numbers such as 20261124; times are seconds since 1970.

-- The batches that the shared store does not have yet, in the order in which they arrived. A number of a row is never
-- used again. size is the length of the content before its compression.
CREATE TABLE batch (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    writer TEXT NOT NULL,
    number INTEGER NOT NULL,
    day INTEGER NOT NULL,
    added INTEGER NOT NULL,
    size INTEGER NOT NULL,
    content BLOB NOT NULL,
    UNIQUE (writer, number)
);
CREATE INDEX batch_of_day ON batch (day);

-- Batches with a content that cannot be read: the disk has changed them.
CREATE TABLE unreadable (
    id INTEGER PRIMARY KEY,
    writer TEXT NOT NULL,
    number INTEGER NOT NULL,
    day INTEGER NOT NULL,
    added INTEGER NOT NULL,
    size INTEGER NOT NULL,
    content BLOB NOT NULL
);

-- One row. The batches up to the id in attempt are added to the shared store as one: the outcome of the last attempt may
-- be unknown, so the next attempt must have the same batches. The triggers below keep the totals.
CREATE TABLE spool (
    batches INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    attempt INTEGER
);
INSERT INTO spool (batches, bytes) VALUES (0, 0);

CREATE TRIGGER batch_added AFTER INSERT ON batch BEGIN
    UPDATE spool SET batches = batches + 1, bytes = bytes + length(new.content);
END;
CREATE TRIGGER batch_changed AFTER UPDATE OF content ON batch BEGIN
    UPDATE spool SET bytes = bytes + length(new.content) - length(old.content);
END;
CREATE TRIGGER batch_removed AFTER DELETE ON batch BEGIN
    UPDATE spool SET batches = batches - 1, bytes = bytes - length(old.content);
END;
