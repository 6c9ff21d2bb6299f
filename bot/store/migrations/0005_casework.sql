-- The life of a case at the desk: whom it is for, parking, outcome, notes, history; wishes to be phoned; ratings.

ALTER TABLE cases ADD COLUMN for_staff INTEGER REFERENCES staff (id);    -- transferred to this person
ALTER TABLE cases ADD COLUMN for_lang TEXT NOT NULL DEFAULT '';          -- transferred to who speaks this
ALTER TABLE cases ADD COLUMN for_topic TEXT NOT NULL DEFAULT '';
ALTER TABLE cases ADD COLUMN parked_at REAL;
ALTER TABLE cases ADD COLUMN parked_until REAL;
ALTER TABLE cases ADD COLUMN first_answer_at REAL;
ALTER TABLE cases ADD COLUMN outcome TEXT NOT NULL DEFAULT '';           -- answered, referred, unreachable, withdrawn, abuse, other
CREATE INDEX cases_opened ON cases (opened_at);
CREATE INDEX cases_closed ON cases (closed_at) WHERE state = 'closed';

ALTER TABLE conversations ADD COLUMN barred INTEGER NOT NULL DEFAULT 0;  -- may not ask for a person, emergencies apart

ALTER TABLE staff ADD COLUMN on_duty INTEGER NOT NULL DEFAULT 0;

CREATE TABLE case_log (
    id INTEGER PRIMARY KEY,
    case_id INTEGER NOT NULL REFERENCES cases (id),
    at REAL NOT NULL,
    staff_id INTEGER REFERENCES staff (id),
    what TEXT NOT NULL,                            -- claimed, taken_over, transferred, parked, returned, closed, reopened, barred, unbarred, called
    detail TEXT NOT NULL DEFAULT ''                -- (codec) a reason, or to whom
);
CREATE INDEX case_log_case ON case_log (case_id, id);

CREATE TABLE case_notes (
    id INTEGER PRIMARY KEY,
    case_id INTEGER NOT NULL REFERENCES cases (id),
    staff_id INTEGER NOT NULL REFERENCES staff (id),
    at REAL NOT NULL,
    body TEXT NOT NULL                             -- (codec)
);
CREATE INDEX case_notes_case ON case_notes (case_id, id);

CREATE TABLE callbacks (
    id INTEGER PRIMARY KEY,
    conversation_id INTEGER NOT NULL REFERENCES conversations (id),
    event_id TEXT NOT NULL,
    at REAL NOT NULL,
    number TEXT NOT NULL,                          -- (codec)
    wish TEXT NOT NULL DEFAULT '',                 -- (codec) when, as the person wrote it
    lang TEXT NOT NULL,
    done_at REAL,
    done_by INTEGER REFERENCES staff (id)
);
CREATE INDEX callbacks_conversation ON callbacks (conversation_id, id);

CREATE TABLE ratings (
    id INTEGER PRIMARY KEY,
    at REAL NOT NULL,
    conversation_id INTEGER NOT NULL REFERENCES conversations (id),
    case_id INTEGER REFERENCES cases (id),
    lang TEXT NOT NULL,
    channel TEXT NOT NULL,
    helped INTEGER NOT NULL,
    words TEXT NOT NULL DEFAULT ''                 -- (codec)
);
CREATE INDEX ratings_at ON ratings (at);

CREATE INDEX conversations_opened ON conversations (opened_at);
CREATE INDEX unanswered_at ON unanswered (at);
