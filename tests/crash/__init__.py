"""Crashes: real processes that use a journal are killed with SIGKILL, over and over, and nothing paid for is lost."""
