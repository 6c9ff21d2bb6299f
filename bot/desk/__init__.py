"""Where caseworkers answer: log in, see the queue, take a case, reply, close."""
