"""`madoguchi check`: what the service would use, and what of it does not work, before it starts."""
