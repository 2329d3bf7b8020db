"""What every front door does with pictures: takes them, says how they are, gives results."""
