"""Many clusters side by side: how each of them is, by its members' own responders."""
