"""The one exception a user of the lab sees: its text names the fix."""


class LabError(Exception):
    """Something the person at the keyboard has to mend; printed without a traceback."""
