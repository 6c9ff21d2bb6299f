"""Where messages come from and go to: one module a channel, clients of the pipeline's door."""
