-- After every `labor-bot migrate`, as the owner: what the program's account may do. Can be run again at any time.
BEGIN;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO labor_bot;
GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO labor_bot;
-- What was done is only ever added to; which schema it is, only the owner writes.
REVOKE UPDATE, DELETE, TRUNCATE ON audit FROM labor_bot;
REVOKE INSERT, UPDATE, DELETE, TRUNCATE ON migrations FROM labor_bot;
COMMIT;
