"""What a gateway says and what it means: pure values, no I/O, no clock, no randomness."""
