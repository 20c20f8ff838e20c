"""What the commands of `panda-ioc` do, a module for each; `run` and `sim` are `ioc` and `sim`."""
