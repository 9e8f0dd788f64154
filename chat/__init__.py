"""Messages of a call."""
