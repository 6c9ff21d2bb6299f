-- The waiting list is ordered without reading the cases themselves: urgency, waiting time, whom a case is for.

CREATE INDEX cases_waiting ON cases (state, urgent, opened_at, lang, for_lang, for_staff, parked_until, id) WHERE state = 'waiting';
