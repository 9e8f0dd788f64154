"""What the municipality's own systems are told: webhooks, plug-ins, a folder, REST tokens."""
