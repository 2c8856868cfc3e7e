"""What the presenter shows of its mouth: its lines, its colours, its rest, how far it opens."""
