"""The services of an OpenStack controller: what can be checked of each, what a check came to, what follows from it."""
