"""A presenter's video (or still picture) as a constant-rate sequence of frames, read forward and back."""
