"""The account of jobs that the power cuts are judged by."""

import json
import unittest

from lab.broker import Message
from scenarios.power import Account


class Said:
    """A watch that has seen these events."""

    def __init__(self, *events):
        self.events = events

    def messages(self):
        return [
            Message(0.0, f"job/{job_id}", json.dumps({"event": event}).encode(), False)
            for job_id, event in self.events
        ] + [
            Message(0.0, "availability", b"online", True),
            Message(0.0, "job/x", b"no document", False),
        ]


class AccountTest(unittest.TestCase):
    def test_accepted_jobs_are_due_until_a_clip_is_published(self):
        account = Account()
        account.read(Said(("a", "accepted"), ("b", "accepted"), ("a", "rendering")))
        self.assertEqual(account.due(), {"a", "b"})
        account.read(Said(("a", "published"), ("b", "failed")))
        self.assertEqual(account.due(), {"b"})

    def test_jobs_that_were_never_accepted_are_not_due(self):
        account = Account()
        account.read(Said(("a", "failed"), ("b", "published")))
        self.assertEqual(account.due(), set())


if __name__ == "__main__":
    unittest.main()
