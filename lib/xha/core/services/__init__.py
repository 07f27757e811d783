"""The services of an OpenStack controller: what can be checked of each, the results, and what follows from them."""
