"""Settings files of every level, up to the managed one."""
