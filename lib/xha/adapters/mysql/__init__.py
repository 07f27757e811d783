"""A session with a MariaDB or MySQL server: the address, the account, and the statements."""
