"""The real server between stand-ins of both platforms and a desk that is used over HTTP."""
