-- The audit trail as a chain: every row bears the SHA-256 of the hash before it and of its own fields (store/audit.py).
-- Rows from before the chain keep an empty hash: the first row of the chain is made from all of them.

ALTER TABLE audit ADD COLUMN why TEXT NOT NULL DEFAULT '';                -- (codec) the reason, where an action asks for one
ALTER TABLE audit ADD COLUMN hash TEXT NOT NULL DEFAULT '';
CREATE INDEX audit_object ON audit (object, id);
CREATE INDEX audit_staff ON audit (staff_id, id);
CREATE INDEX audit_action ON audit (action, id);
CREATE INDEX audit_at ON audit (at);

-- Nothing is ever changed or removed.
CREATE TRIGGER audit_no_update BEFORE UPDATE ON audit
BEGIN
    SELECT RAISE(ABORT, 'the audit trail is append-only');
END;
CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit
BEGIN
    SELECT RAISE(ABORT, 'the audit trail is append-only');
END;
-- Replacing a row on conflict would remove it without asking the trigger above.
CREATE TRIGGER audit_no_replace BEFORE INSERT ON audit WHEN EXISTS (SELECT 1 FROM audit WHERE id = NEW.id)
BEGIN
    SELECT RAISE(ABORT, 'the audit trail is append-only');
END;
