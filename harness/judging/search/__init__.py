"""The search for secrets in all that was exported, in parts and in every encoding."""
