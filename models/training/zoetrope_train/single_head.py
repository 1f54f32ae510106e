"""The training of one head of a finished network; the rest of it stays what it is."""

from .crew import Crew
from .start import state_of
from .trainer import Recipe, Trainer


def single_head_recipe(minutes, start, **own):
    """One process; the head may have learnt nothing before, so its rate is whole."""
    return Recipe(
        minutes=minutes, start=start, started_rate=1.0, warm_up_steps=50, gradient_norm_max=5.0,
        average=0.995, seed=1, **own,
    )


class SingleHeadTrainer(Trainer):
    """Trains one head in one process, on material that is all there from the start."""

    #: The head's name in `MotionNetwork`.
    HEAD = None

    def __init__(self, data_dir, work_dir, recipe, log=print):
        super().__init__(data_dir, work_dir, recipe, Crew(0, 1), log)
        self.network.requires_grad_(False)
        getattr(self.network, self.HEAD).requires_grad_(True)

    def _trained(self):
        return list(getattr(self.network, self.HEAD).parameters())

    def refresh(self):
        """Nothing is added to the material."""
        return True

    def _start(self):
        state = state_of(self.recipe.start)
        for network in (self.network, self.average):
            network.load_state_dict(state)
