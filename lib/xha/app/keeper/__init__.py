"""The keeper as a process: it looks, asks core/keeper what to do, and does that."""
