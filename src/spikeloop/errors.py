"""The one exception that a user's mistake raises; every other exception is a bug of the library."""


class InvalidInput(ValueError):
    """Something that the user gave is wrong. The message is one line: what was wrong, and what would be right.

    The command line prints it and exits with code 2; from Python it is an ordinary ``ValueError``.
    """
