"""What the library costs, measured: each module is a script that prints JSON."""
