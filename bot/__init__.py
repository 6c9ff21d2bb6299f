"""The running program: from a message on a channel to an answer, and to a person."""
