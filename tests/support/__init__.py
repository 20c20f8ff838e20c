"""What the tests share: servers as processes, streams, odd PandAs, checks of screens."""
