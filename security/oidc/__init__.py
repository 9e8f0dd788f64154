"""Signing in by a municipality's own directory (OpenID Connect): the rules."""
