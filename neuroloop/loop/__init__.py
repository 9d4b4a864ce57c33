"""The plant, and the loop that it makes with a controller."""
