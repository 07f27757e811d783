"""What `make install` installs, run at its place: in a mount namespace, and under a real systemd."""
