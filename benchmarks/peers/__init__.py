"""How others wait for many tasks, measured beside this library: ``python -m benchmarks.peers``."""
