"""SML: messages, files, transport frames and push telegrams."""
