"""Local accounts: who may sign in, by what, with which grants."""
