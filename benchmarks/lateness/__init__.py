"""Lateness: what a policy of looking costs, in requests and in seconds, on virtual time."""
