"""Local stand-ins of the platforms: they answer as the vendors do and refuse what the vendors refuse."""
