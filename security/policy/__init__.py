"""What is allowed: facts in, decision out."""
