"""What a recording can be turned into, one file a family."""
