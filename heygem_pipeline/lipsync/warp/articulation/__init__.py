"""What is asked of the mouth: speech in numbers, and the lines of the lips that say them."""
