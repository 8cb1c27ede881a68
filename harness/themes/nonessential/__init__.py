"""A session whose nonessential traffic nobody has switched off."""
