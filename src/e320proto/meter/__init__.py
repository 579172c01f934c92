"""The reference meter: a Landis+Gyr E320 as an executable model. Time is an argument; nothing here does I/O."""
