"""What the steps say on the way."""

import time


def log(text):
    """One line with the time of day, at once."""
    print(f"{time.strftime('%H:%M:%S')} {text}", flush=True)


def silent(_):
    """For those of several processes that have nothing to add."""
