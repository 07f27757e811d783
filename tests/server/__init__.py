"""What xha does with a server on its own host: real ones, on loopback, started and ended by xha's adapters."""
