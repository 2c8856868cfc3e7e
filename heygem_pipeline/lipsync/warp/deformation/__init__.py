"""How the face moves with its mouth."""
