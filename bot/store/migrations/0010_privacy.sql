-- What people ask about their own data, with the legal clock; restriction and legal hold; links to a copy; receipts.

ALTER TABLE conversations ADD COLUMN restricted INTEGER NOT NULL DEFAULT 0;  -- kept, but not used and not shown

CREATE TABLE privacy_requests (
    id INTEGER PRIMARY KEY,
    conversation_id INTEGER,                       -- none once the data is erased: nothing leads to the person then
    kind TEXT NOT NULL,                            -- see, copy, correct, stop, delete
    channel TEXT NOT NULL,
    lang TEXT NOT NULL,
    opened_at REAL NOT NULL,
    due_at REAL NOT NULL,
    extended INTEGER NOT NULL DEFAULT 0,
    state TEXT NOT NULL DEFAULT 'open',            -- open, done, refused
    reason TEXT NOT NULL DEFAULT '',               -- (codec) of the refusal or the extension
    settled_at REAL,
    staff_id INTEGER REFERENCES staff (id)         -- none: settled at once by the house itself
);
CREATE INDEX privacy_requests_open ON privacy_requests (due_at) WHERE state = 'open';
CREATE INDEX privacy_requests_conversation ON privacy_requests (conversation_id);

-- Conversations that must not be erased, such as evidence in a proceeding.
CREATE TABLE legal_holds (
    conversation_id INTEGER PRIMARY KEY REFERENCES conversations (id),
    at REAL NOT NULL,
    staff_id INTEGER NOT NULL REFERENCES staff (id),
    reason TEXT NOT NULL                           -- (codec)
);

-- Links to a copy of one's own data: hashes of random tokens, each good once.
CREATE TABLE copy_links (
    token BLOB PRIMARY KEY,
    conversation_id INTEGER NOT NULL REFERENCES conversations (id),
    until REAL NOT NULL
) WITHOUT ROWID;
CREATE INDEX copy_links_conversation ON copy_links (conversation_id);

-- What was erased, without content: the day in days since 1970, the channel, why, rows of each kind as JSON.
CREATE TABLE erasures (
    id INTEGER PRIMARY KEY,
    day INTEGER NOT NULL,
    channel TEXT NOT NULL,
    why TEXT NOT NULL,                             -- asked, officer
    counts TEXT NOT NULL
);

-- What is erased and purged is found by its conversation and by its case.
CREATE INDEX cases_conversation ON cases (conversation_id);
CREATE INDEX ratings_conversation ON ratings (conversation_id);
CREATE INDEX ratings_case ON ratings (case_id) WHERE case_id IS NOT NULL;
