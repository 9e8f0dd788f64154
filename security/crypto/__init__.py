"""Sealing at rest, as FORMAT.md says: keys, sealed blobs, wrapped keys."""
