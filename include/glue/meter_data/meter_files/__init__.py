"""Files as lines and as columns of text. Nothing here knows what a meter is."""
