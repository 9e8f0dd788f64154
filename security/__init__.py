"""The floor: errors, people, policy, gate, audit log, crypto. Imports nothing else of ours."""
