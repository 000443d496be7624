"""Emulated neuromorphic hardware behind the PyNN API."""
