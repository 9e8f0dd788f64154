"""Procedures (事務): the shipped list."""
