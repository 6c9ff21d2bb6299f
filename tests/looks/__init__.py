"""The desk to be looked at: a morning with something on every page, the list of its pages, their pictures."""
