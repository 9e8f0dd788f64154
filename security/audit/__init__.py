"""The audit log: a hash chain per municipality, as FORMAT.md says."""
