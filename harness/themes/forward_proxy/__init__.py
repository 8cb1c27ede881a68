"""A forward proxy between the session and the rest: HTTP_PROXY, HTTPS_PROXY, NO_PROXY."""
