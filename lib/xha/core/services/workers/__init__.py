"""Workers without a port: their processes, and their way to RabbitMQ."""
