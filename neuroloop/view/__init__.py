"""What people look at: live lines and learning curves."""
