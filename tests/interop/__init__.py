"""Other people's clients, driven against the emulator: see README.md."""
