"""Composition, HTTP and WebSocket API, database, calls, procedures."""
