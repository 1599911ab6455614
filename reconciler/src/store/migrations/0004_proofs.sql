-- What was tried on a cluster ahead of need (S10).

-- The last canary run: the document says under which circumstances.
CREATE TABLE canaries (
    cluster  TEXT PRIMARY KEY,
    document TEXT NOT NULL
) WITHOUT ROWID;

-- The accounts under which any job ended on a cluster, each with the last such job.
CREATE TABLE proven_accounts (
    cluster TEXT    NOT NULL,
    account TEXT    NOT NULL,
    at      INTEGER NOT NULL,
    job     TEXT    NOT NULL,
    PRIMARY KEY (cluster, account)
) WITHOUT ROWID;
