"""RabbitMQ: what its cluster says of itself."""
