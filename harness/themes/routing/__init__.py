"""Routing: the endpoint, protocol and headers with which each signal is sent."""
