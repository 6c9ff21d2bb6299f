-- Once, as a superuser: the database and its two accounts. The owner migrates; the program works, and cannot change the schema.
-- psql -X -v ON_ERROR_STOP=1 -v owner_password=... -v program_password=... -f roles.sql
CREATE ROLE labor_bot_owner LOGIN PASSWORD :'owner_password';
CREATE ROLE labor_bot LOGIN PASSWORD :'program_password';
CREATE DATABASE labor_bot OWNER labor_bot_owner TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C';
REVOKE ALL ON DATABASE labor_bot FROM PUBLIC;
GRANT CONNECT ON DATABASE labor_bot TO labor_bot;
GRANT SET ON PARAMETER deadlock_timeout TO labor_bot; -- two servers at the same rows are told apart in a tenth of a second
\connect labor_bot
REVOKE ALL ON SCHEMA public FROM PUBLIC;
ALTER SCHEMA public OWNER TO labor_bot_owner;
GRANT USAGE ON SCHEMA public TO labor_bot;
