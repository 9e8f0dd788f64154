"""The sections of a policy: every setting with its words."""
