"""Documents sent during a call."""
