-- Conversations, what came in, what was said, what goes out, cases, staff.
-- Times are Unix seconds by the database's clock unless a name ends in _ms (platform milliseconds).
-- Columns marked (codec) pass store/codec.py.

CREATE TABLE staff (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    role TEXT NOT NULL,
    password_hash TEXT NOT NULL,
    must_change INTEGER NOT NULL DEFAULT 1,
    disabled INTEGER NOT NULL DEFAULT 0,
    created_at REAL NOT NULL
);

CREATE TABLE conversations (
    id INTEGER PRIMARY KEY,
    opened_at REAL NOT NULL,
    updated_at REAL NOT NULL,
    lang TEXT NOT NULL DEFAULT '',
    state TEXT NOT NULL DEFAULT '',                -- (codec) the dialogue's state, without facts
    speaker TEXT NOT NULL DEFAULT 'bot',           -- bot, waiting, human
    holder INTEGER REFERENCES staff (id),
    fence INTEGER NOT NULL DEFAULT 0,              -- grows with every lease and every change of speaker
    speaker_fence INTEGER NOT NULL DEFAULT 0,      -- the fence at which the present speaker took over
    next_seq INTEGER NOT NULL DEFAULT 1,           -- number of the next transcript line
    taken_ms INTEGER NOT NULL DEFAULT 0,           -- platform time of the newest event taken so far
    address_id INTEGER,                            -- last written from
    pending INTEGER NOT NULL DEFAULT 0,            -- inbox rows not yet taken
    pending_since REAL NOT NULL DEFAULT 0,
    leased_by TEXT NOT NULL DEFAULT '',
    leased_until REAL NOT NULL DEFAULT 0,
    outgoing INTEGER NOT NULL DEFAULT 0,           -- outbox rows not yet settled
    outgoing_after REAL NOT NULL DEFAULT 0,        -- not to be tried before
    sending_by TEXT NOT NULL DEFAULT '',
    sending_until REAL NOT NULL DEFAULT 0,
    ended INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX conversations_pending ON conversations (pending_since) WHERE pending > 0;
CREATE INDEX conversations_outgoing ON conversations (outgoing_after) WHERE outgoing > 0;

CREATE TABLE addresses (
    id INTEGER PRIMARY KEY,
    conversation_id INTEGER NOT NULL REFERENCES conversations (id),
    channel TEXT NOT NULL,
    account TEXT NOT NULL,
    user_id TEXT NOT NULL,
    UNIQUE (channel, account, user_id)
);
CREATE INDEX addresses_conversation ON addresses (conversation_id);

-- A content-free hash of (channel, account, event id): outlives purge and "forget me".
CREATE TABLE seen (
    key BLOB PRIMARY KEY,
    day INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE inbox (
    id INTEGER PRIMARY KEY,                        -- arrival number
    conversation_id INTEGER NOT NULL REFERENCES conversations (id),
    address_id INTEGER NOT NULL REFERENCES addresses (id),
    event_id TEXT NOT NULL,
    sent_ms INTEGER NOT NULL,
    body TEXT NOT NULL,                            -- (codec) {text|choice, reply_token, welcomed}
    accepted_at REAL NOT NULL,
    state TEXT NOT NULL DEFAULT 'new',             -- new, failed (moved aside after too many tries)
    attempts INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX inbox_conversation ON inbox (conversation_id, state, sent_ms, id);

CREATE TABLE messages (
    id INTEGER PRIMARY KEY,
    conversation_id INTEGER NOT NULL REFERENCES conversations (id),
    seq INTEGER NOT NULL,
    author TEXT NOT NULL,                          -- citizen, bot, staff
    staff_id INTEGER REFERENCES staff (id),
    address_id INTEGER NOT NULL,
    event_id TEXT NOT NULL DEFAULT '',
    at REAL NOT NULL,
    body TEXT NOT NULL,                            -- (codec) a Reply as JSON
    reading TEXT NOT NULL DEFAULT '',              -- (codec) how the bot read it, for the desk
    status TEXT NOT NULL DEFAULT 'sent',           -- sent, late; queued, probably, undelivered, failed, withdrawn
    UNIQUE (conversation_id, seq)
);

CREATE TABLE facts (
    conversation_id INTEGER NOT NULL REFERENCES conversations (id),
    subject TEXT NOT NULL,
    fact TEXT NOT NULL,
    value TEXT NOT NULL,                           -- (codec) JSON
    at REAL NOT NULL,
    PRIMARY KEY (conversation_id, subject, fact)
) WITHOUT ROWID;

CREATE TABLE outbox (
    id INTEGER PRIMARY KEY,
    conversation_id INTEGER NOT NULL REFERENCES conversations (id),
    address_id INTEGER NOT NULL REFERENCES addresses (id),
    in_reply_to TEXT NOT NULL DEFAULT '',
    first_seq INTEGER NOT NULL,
    last_seq INTEGER NOT NULL,
    author TEXT NOT NULL,                          -- bot, staff
    notice TEXT NOT NULL DEFAULT '',               -- '', safety, case
    fence INTEGER NOT NULL,
    retry_key TEXT NOT NULL UNIQUE,
    reply_token TEXT NOT NULL DEFAULT '',
    token_until REAL NOT NULL DEFAULT 0,
    state TEXT NOT NULL DEFAULT 'queued',          -- queued, sending, sent, probably, withdrawn, dead
    attempts INTEGER NOT NULL DEFAULT 0,
    created_at REAL NOT NULL,
    settled_at REAL,
    error TEXT NOT NULL DEFAULT ''
);
CREATE INDEX outbox_open ON outbox (conversation_id, id) WHERE state IN ('queued', 'sending');

CREATE TABLE cases (
    id INTEGER PRIMARY KEY,
    conversation_id INTEGER NOT NULL REFERENCES conversations (id),
    number TEXT NOT NULL UNIQUE,
    state TEXT NOT NULL,                           -- waiting, human, closed
    reason TEXT NOT NULL,
    topic TEXT NOT NULL DEFAULT '',
    lang TEXT NOT NULL,
    channel TEXT NOT NULL,
    urgent INTEGER NOT NULL DEFAULT 0,
    holder INTEGER REFERENCES staff (id),
    opened_at REAL NOT NULL,
    claimed_at REAL,
    answered_at REAL,                              -- last caseworker message, or the claim
    closed_at REAL,
    closed_seq INTEGER                             -- the last transcript line that belongs to a closed case
);
CREATE INDEX cases_state ON cases (state, urgent, opened_at);
CREATE UNIQUE INDEX cases_open ON cases (conversation_id) WHERE state <> 'closed';

CREATE TABLE staff_sessions (
    token_hash BLOB PRIMARY KEY,
    staff_id INTEGER NOT NULL REFERENCES staff (id),
    created_at REAL NOT NULL,
    seen_at REAL NOT NULL
) WITHOUT ROWID;

CREATE TABLE drafts (
    case_id INTEGER NOT NULL REFERENCES cases (id),
    staff_id INTEGER NOT NULL REFERENCES staff (id),
    body TEXT NOT NULL,                            -- (codec)
    PRIMARY KEY (case_id, staff_id)
) WITHOUT ROWID;

CREATE TABLE audit (
    id INTEGER PRIMARY KEY,
    at REAL NOT NULL,
    staff_id INTEGER,
    action TEXT NOT NULL,
    object TEXT NOT NULL
);
