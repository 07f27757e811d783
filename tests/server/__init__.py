"""What xha does with a server on its own host: real servers on loopback, started and terminated by xha's adapters."""
