"""A session at a MariaDB or MySQL server: where, as whom, and what is asked."""
