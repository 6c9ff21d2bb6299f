"""From the inbox through a turn to the outbox."""
