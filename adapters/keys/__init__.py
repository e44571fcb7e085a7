"""This is where the broker's keys are kept beside the environment: encrypted files, or a command of the owner's."""
