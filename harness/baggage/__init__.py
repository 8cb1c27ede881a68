"""Lists of pairs in environment variables: what they mean, and where sources disagree."""
