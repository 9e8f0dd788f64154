"""The demo: a generated resident and desk that speak PROTOCOL.md like any other page."""
