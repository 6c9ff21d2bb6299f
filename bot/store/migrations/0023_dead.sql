-- What could not be delivered is counted for those who watch.
CREATE INDEX outbox_dead ON outbox (address_id) WHERE state = 'dead';
