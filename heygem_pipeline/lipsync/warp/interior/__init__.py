"""What shows between the lips where it has to be drawn."""
