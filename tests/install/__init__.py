"""What `make install` puts on a machine, run where it was put: moved into place, and under a real systemd."""
