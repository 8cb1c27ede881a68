"""HTTP servers of ours: uvicorn on a given socket, from a thread of this process."""
