-- Checks whose verdict a caseworker thinks wrong, redacted, proposed to the authors of rules as golden cases.

CREATE TABLE proposals (
    id INTEGER PRIMARY KEY,
    at REAL NOT NULL,
    staff_id INTEGER NOT NULL REFERENCES staff (id),
    rule TEXT NOT NULL,
    verdict TEXT NOT NULL,                         -- what the rule said
    expect TEXT NOT NULL,                          -- what the caseworker thinks right
    given TEXT NOT NULL,                           -- (codec) the rule's facts as JSON, coarse enough to name nobody
    day TEXT NOT NULL,                             -- the ISO day of the check
    note TEXT NOT NULL DEFAULT '',                 -- (codec) why, in the caseworker's words
    state TEXT NOT NULL DEFAULT 'new'              -- new, settled
);
CREATE INDEX proposals_state ON proposals (state, id);
