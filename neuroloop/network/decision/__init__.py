"""Parts that know control steps as decisions: membranes drawn anew, expected drives, cells of which a few are active."""
