"""What the template shows of its mouth: its lines, its colours, its rest, how far it opens."""
