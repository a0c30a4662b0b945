"""HTTP API and web page of one index."""
