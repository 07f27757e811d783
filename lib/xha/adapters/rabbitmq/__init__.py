"""RabbitMQ: AMQP, its management API, its tools."""
