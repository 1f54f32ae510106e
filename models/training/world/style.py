"""Choices of a scene: drawn from its seed, unless an art director's style names them."""


class Style:
    """Hands out choices by name. The draw is always made, so that naming one choice leaves the others as they were."""

    def __init__(self, canvas, chosen=None):
        self.canvas, self.chosen = canvas, chosen or {}

    def pick(self, name, options, weights=None):
        """One of ``options``."""
        drawn = options[int(self.canvas.rng.choice(len(options), p=weights))]
        return self.chosen.get(name, drawn)

    def between(self, name, low, high):
        """A number from ``low`` to ``high``."""
        drawn = float(self.canvas.rng.uniform(low, high))
        return self.chosen.get(name, drawn)

    def chance(self, name, probability):
        """True or False."""
        drawn = bool(self.canvas.rng.random() < probability)
        return self.chosen.get(name, drawn)
