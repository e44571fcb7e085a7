"""This is the domain: nouns and rules of trading, pure, standard library only."""
