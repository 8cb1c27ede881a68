"""Items: the views of a capture that checks judge, and measures of whole runs."""
