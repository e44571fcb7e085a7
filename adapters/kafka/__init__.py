"""This is events on Kafka: Avro envelopes, topics, the producer, assigned consumers, dead letters."""
