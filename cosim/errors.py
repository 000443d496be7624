"""The exception for input that can be corrected by the user."""


class InputError(ValueError):
    """A name, value or folder given by the user that cannot be used.

    Raised before anything runs; the message names what was given, what is valid and what to do.
    The command line prints it without a traceback.
    """
