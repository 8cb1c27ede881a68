"""Record a subject and judge the recording; without pytest."""
