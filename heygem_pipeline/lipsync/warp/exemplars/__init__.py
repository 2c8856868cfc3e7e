"""The mouths a speaking template has itself, found and laid on."""
