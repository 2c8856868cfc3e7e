"""The mouths a speaking presenter has itself, found and laid on."""
