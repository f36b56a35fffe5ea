"""What requests cost: tokens and dollars as endpoints count them, prices, sums, and the budget that limits them."""
