"""This is what keeps orders within limits: sizing, and a gate that asks every rule about every order."""
