"""The parts that a bridge is made of: each some records and what is behind them."""
