"""What encoders have in common, and the look at what they wrote."""
