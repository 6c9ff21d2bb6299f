-- A desk with many cases: its lists and counts are found in indexes.

-- Closed cases newest first; every filter of the list is answered by the index, so that rare ones read no other row.
DROP INDEX cases_closed;
CREATE INDEX cases_closed ON cases (state, closed_at, id, lang, topic, channel, reason, opened_at, number) WHERE state = 'closed';
CREATE INDEX cases_held ON cases (holder) WHERE state = 'human';
