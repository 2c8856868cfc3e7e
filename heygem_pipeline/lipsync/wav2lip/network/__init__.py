"""The network itself, and how it is run: all that needs torch, and is imported only where a clip is made with it."""
