-- What an operator approved last of each cluster: one plan id. The row goes when another plan could be carried out.
CREATE TABLE approvals (
    cluster  TEXT PRIMARY KEY,
    plan_id  TEXT NOT NULL,
    document TEXT NOT NULL
) WITHOUT ROWID;
