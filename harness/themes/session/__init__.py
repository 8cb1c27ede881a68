"""Sessions as a whole: prompts, API calls, accounts, identity."""
