-- Messaging platforms: messages that are edited or taken back, files, several addresses of one person, deliveries in parts.

ALTER TABLE addresses ADD COLUMN reply_token TEXT NOT NULL DEFAULT '';   -- of a message that nothing answered yet
ALTER TABLE addresses ADD COLUMN token_until REAL NOT NULL DEFAULT 0;
ALTER TABLE addresses ADD COLUMN blocked INTEGER NOT NULL DEFAULT 0;     -- nothing reaches the person any more
ALTER TABLE addresses ADD COLUMN menu_due INTEGER NOT NULL DEFAULT 0;    -- the platform's menu is in another language
CREATE INDEX addresses_menu_due ON addresses (id) WHERE menu_due = 1;

ALTER TABLE inbox ADD COLUMN message_id TEXT NOT NULL DEFAULT '';        -- the platform's id of the message
ALTER TABLE inbox ADD COLUMN reply_token TEXT NOT NULL DEFAULT '';
ALTER TABLE inbox ADD COLUMN told INTEGER NOT NULL DEFAULT 0;            -- the person was told that it takes longer

ALTER TABLE messages ADD COLUMN message_id TEXT NOT NULL DEFAULT '';
CREATE INDEX messages_platform ON messages (address_id, message_id) WHERE message_id <> '';

ALTER TABLE facts ADD COLUMN event_id TEXT NOT NULL DEFAULT '';          -- what told it: goes when that is taken back

ALTER TABLE outbox ADD COLUMN parts INTEGER NOT NULL DEFAULT 0;          -- delivered messages of the first open line
ALTER TABLE outbox ADD COLUMN batch INTEGER NOT NULL DEFAULT 0;          -- rows once tried together stay together
ALTER TABLE outbox ADD COLUMN unsure INTEGER NOT NULL DEFAULT 0;         -- the last try had an unknown outcome
CREATE INDEX outbox_waiting ON outbox (conversation_id) WHERE state = 'waiting';
CREATE INDEX outbox_answers ON outbox (conversation_id, in_reply_to);

-- Content-free hashes of messages that were taken back or edited, so that a late copy stays gone.
CREATE TABLE gone (
    key BLOB PRIMARY KEY,
    day INTEGER NOT NULL,
    how TEXT NOT NULL                              -- unsent, edited
) WITHOUT ROWID;

CREATE TABLE attachments (
    id INTEGER PRIMARY KEY,
    conversation_id INTEGER NOT NULL REFERENCES conversations (id),
    address_id INTEGER NOT NULL REFERENCES addresses (id),
    event_id TEXT NOT NULL,
    at REAL NOT NULL,
    kind TEXT NOT NULL,                            -- image, file, video, audio
    ref TEXT NOT NULL,                             -- the platform's handle; empty once fetched
    name TEXT NOT NULL DEFAULT '',                 -- (codec)
    mime TEXT NOT NULL DEFAULT '',                 -- as the content says, not as it was announced
    size INTEGER NOT NULL DEFAULT 0,
    state TEXT NOT NULL DEFAULT 'wanted',          -- wanted, kept, refused, gone
    attempts INTEGER NOT NULL DEFAULT 0,
    due_at REAL NOT NULL,
    body BLOB                                      -- (codec)
);
CREATE INDEX attachments_wanted ON attachments (due_at) WHERE state = 'wanted';
CREATE INDEX attachments_conversation ON attachments (conversation_id, event_id);

-- Links that carry a conversation to another channel: hashes of random tokens, each good once.
CREATE TABLE resume_links (
    token BLOB PRIMARY KEY,
    conversation_id INTEGER NOT NULL REFERENCES conversations (id),
    until REAL NOT NULL
) WITHOUT ROWID;
CREATE INDEX resume_links_conversation ON resume_links (conversation_id);

ALTER TABLE cases ADD COLUMN noticed INTEGER NOT NULL DEFAULT 0;         -- told to the staff group: no, waiting, urgent
CREATE INDEX cases_unnoticed ON cases (id) WHERE state = 'waiting';

-- Small things that outlive a restart, such as the ids that a platform gave.
CREATE TABLE kept (
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL
) WITHOUT ROWID;
