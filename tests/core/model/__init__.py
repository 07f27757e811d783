"""A model of Galera, Pacemaker and their misfortunes, in which the real election and the real keeper run."""
