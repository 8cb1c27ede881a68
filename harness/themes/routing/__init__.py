"""Where each signal is sent: endpoints, protocols, headers of requests."""
