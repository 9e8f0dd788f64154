"""Calls: the state machine (rules), the registry that carries its effects out (shell)."""
