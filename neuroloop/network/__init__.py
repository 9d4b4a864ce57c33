"""Networks: populations and projections of any graph; `decision` holds those that agents are made of."""
