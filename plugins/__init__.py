"""This is what is not ours: plug-ins, let in by their hashes, held in a process of their own, and believed nothing unchecked."""
