"""How we talk to a gateway: one effect, one owner file."""
