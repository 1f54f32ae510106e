"""What must hold by construction, tried on the shipped file."""

import numpy as np

from zoetrope_train.export import PROFILES, example_inputs

TOLERANCE = 1e-6


def _feed(width, height, **changes):
    """Neutral inputs over random colours; `changes` replace parts of them."""
    feed = {k: v.numpy() for k, v in example_inputs(width, height, seed=5).items()}
    feed["hints"] = np.zeros_like(feed["hints"])
    feed["style"] = feed["style"].copy()
    feed["style"][:, 0] = 1.0
    feed["style"][:, 19:] = 1.0
    for key, (where, value) in changes.items():
        feed[key][where] = value
    return feed


def _moves(answer):
    return max(float(np.abs(answer[k]).max()) for k in ("velocity", "spectrum", "light"))


def check_guarantees(runner, log=print):
    """One line per guarantee with the largest violation; raises on failure."""
    width, height = PROFILES[0]
    everywhere = (slice(None), 3)

    def ask(**changes):
        answer = runner.run(_feed(width, height, **changes))
        answer["velocity"] = answer["flow"][:2]
        return answer

    plain = ask()
    still = ask(style=((slice(None), 0), 0.0))
    muted = ask(style=((slice(None), slice(19, 29)), 0.0))
    frozen = ask(hints=(everywhere, -1.0))
    awake = ask(hints=(everywhere, 1.0))
    steered = ask(hints=((slice(None), slice(0, 3)), np.array([[[0.6]], [[-0.8]], [[1.0]]])))
    turned = ask(style=((slice(None), slice(3, 19)), np.tile([0.0, 1.0], 8)))

    def sizes(answer):
        return np.sqrt((answer["spectrum"].reshape(16, 2, -1) ** 2).sum(1))

    speed = np.linalg.norm(steered["velocity"], axis=0)
    arrow = np.stack([0.6 * speed, -0.8 * speed])
    checks = {
        "strength 0 is stillness": _moves(still),
        "class gains 0 are stillness": _moves(muted),
        "freeze zeroes all motion": max(
            _moves(frozen), float(frozen["flow"].max()), float(frozen["mobility"].max())
        ),
        "animate raises mobility to 1": float(np.abs(awake["mobility"] - 1).max()),
        "an arrow of weight 1 gives the direction": float(
            np.abs(steered["velocity"] - arrow).max()
        ),
        "phasors turn the spectrum and keep its size": float(
            np.abs(sizes(turned) - sizes(plain)).max()
        ),
        "classes, depth and mobility ignore strength": max(
            float(np.abs(still[k] - plain[k]).max()) for k in ("classes", "depth", "mobility")
        ),
    }
    log("\n## Guarantees\n\n| what holds | largest violation |\n|---|---|")
    for name, violation in checks.items():
        log(f"| {name} | {violation:.1e} |")
    broken = [name for name, violation in checks.items() if violation > TOLERANCE]
    if broken:
        raise AssertionError(f"not guaranteed: {', '.join(broken)}")
