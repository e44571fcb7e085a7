"""This is research: the real pipeline over past bars, without a broker, a clock or a database."""
