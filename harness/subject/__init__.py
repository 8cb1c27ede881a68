"""The process under test and all that stands around it: how it is found or installed,
the sandbox it runs in, the model it talks to, and how it is driven and ended."""
