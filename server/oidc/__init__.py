"""Talking to a municipality's own directory (OpenID Connect)."""
