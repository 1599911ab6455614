-- Times are milliseconds since 1970, UTC. Documents are JSON as the schema crate writes it.

CREATE TABLE commits (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    source      TEXT    NOT NULL,
    commit_id   TEXT    NOT NULL,
    seen_at     INTEGER NOT NULL,
    good        INTEGER NOT NULL,
    diagnostics TEXT    NOT NULL,
    UNIQUE (source, commit_id)
);

-- The latest of each cluster; what changed is in observation_changes.
CREATE TABLE observations (
    cluster  TEXT    PRIMARY KEY,
    taken_at INTEGER NOT NULL,
    document TEXT    NOT NULL
);

CREATE TABLE observation_changes (
    id       INTEGER PRIMARY KEY AUTOINCREMENT,
    cluster  TEXT    NOT NULL,
    taken_at INTEGER NOT NULL,
    document TEXT    NOT NULL
);
CREATE INDEX observation_changes_by_cluster ON observation_changes (cluster, id);

-- Never updated. `parent` is the row that was current when this one was made.
CREATE TABLE plans (
    row       INTEGER PRIMARY KEY AUTOINCREMENT,
    cluster   TEXT    NOT NULL,
    id        TEXT    NOT NULL,
    parent    INTEGER REFERENCES plans (row) ON DELETE SET NULL,
    stored_at INTEGER NOT NULL,
    document  TEXT    NOT NULL
);
CREATE INDEX plans_by_cluster ON plans (cluster, row);

CREATE TABLE current_plans (
    cluster TEXT    PRIMARY KEY,
    plan    INTEGER NOT NULL REFERENCES plans (row)
);

CREATE TABLE operations (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    cluster     TEXT    NOT NULL,
    plan        INTEGER NOT NULL REFERENCES plans (row),
    started_at  INTEGER NOT NULL,
    finished_at INTEGER,
    result      TEXT
);
-- Invariant 6: at most one operation per cluster.
CREATE UNIQUE INDEX one_operation_per_cluster ON operations (cluster) WHERE finished_at IS NULL;

CREATE TABLE journal (
    operation INTEGER NOT NULL REFERENCES operations (id) ON DELETE CASCADE,
    seq       INTEGER NOT NULL,
    entry     TEXT    NOT NULL,
    PRIMARY KEY (operation, seq)
) WITHOUT ROWID;

-- The highest attempt at any job of a plan id: job ids never come back with another meaning.
CREATE TABLE attempts (
    cluster TEXT    NOT NULL,
    plan_id TEXT    NOT NULL,
    attempt INTEGER NOT NULL,
    PRIMARY KEY (cluster, plan_id)
) WITHOUT ROWID;

CREATE TABLE generations (
    cluster    TEXT    PRIMARY KEY,
    generation INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE statuses (
    cluster    TEXT    PRIMARY KEY,
    updated_at INTEGER NOT NULL,
    document   TEXT    NOT NULL
) WITHOUT ROWID;

CREATE TABLE quarantines (
    cluster TEXT    PRIMARY KEY,
    desired TEXT    NOT NULL,
    since   INTEGER NOT NULL,
    failure TEXT    NOT NULL
) WITHOUT ROWID;

CREATE TABLE requests (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    cluster    TEXT    NOT NULL,
    at         INTEGER NOT NULL,
    request    TEXT    NOT NULL,
    handled_at INTEGER
);
CREATE INDEX open_requests ON requests (cluster) WHERE handled_at IS NULL;

CREATE TABLE events (
    id       INTEGER PRIMARY KEY AUTOINCREMENT,
    at       INTEGER NOT NULL,
    cluster  TEXT,
    document TEXT    NOT NULL
);
CREATE INDEX events_by_cluster ON events (cluster, id);

CREATE TABLE durations (
    id      INTEGER PRIMARY KEY AUTOINCREMENT,
    cluster TEXT    NOT NULL,
    action  TEXT    NOT NULL,
    agents  INTEGER NOT NULL,
    at      INTEGER NOT NULL,
    millis  INTEGER NOT NULL
);
CREATE INDEX durations_by_cluster ON durations (cluster, action, id);
