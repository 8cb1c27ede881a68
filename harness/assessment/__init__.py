"""Record a subject and judge the recording, independently of pytest."""
