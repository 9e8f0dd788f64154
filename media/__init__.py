"""Sound and pictures of a call: forwarding on one UDP port, never transcoding."""
