"""The PandA's side of the bridge: its connection, its data port, and the news it brings."""
