"""The three networks, and how they are run: all that needs torch, and is imported only where a clip is made with it."""
