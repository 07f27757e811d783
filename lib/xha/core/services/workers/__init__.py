"""Workers without a port: their processes, and their connection to RabbitMQ."""
