"""Fakes and simulators for testing applications and providers."""
