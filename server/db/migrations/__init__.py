"""Migrations of the database, run by server/db/migrate.py."""
