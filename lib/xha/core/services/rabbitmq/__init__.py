"""RabbitMQ: what its cluster says about itself."""
