"""The parts of a bridge: each has some records and the work behind them."""
