"""The LMN above its frames: link, addresses, pairing, TLS and sessions, for the gateway and for the meter; no I/O."""
