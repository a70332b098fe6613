"""A search: Optuna chooses each trial by what the trials before it gave.

Of the search itself nothing is kept. Its sampler is seeded and is told of the trials in their
order, so the same command chooses the same trials again: what is in the store costs nothing, a
search that was stopped goes on, and one of more trials begins with those of the shorter one.
"""

import copy
from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING

from omegaconf import DictConfig

from ann2snn.config.composition import composed
from ann2snn.pipeline.chain import Chain
from ann2snn.pipeline.outlook import open_steps
from ann2snn.pipeline.preflight import require_ready
from ann2snn.progress import Progress
from ann2snn.settings import SettingError
from ann2snn.sweep.asked import asked_of, name_of
from ann2snn.sweep.launchers import launch_all, run_point, runs_here, share_cores
from ann2snn.sweep.plan import print_plan
from ann2snn.sweep.search_settings import SAMPLERS, SearchSettings, search_settings
from ann2snn.sweep.search_space import Space, space_of
from ann2snn.sweep.search_table import OVER, Trial, close
from ann2snn.sweep.table import forget, known, point_file

if TYPE_CHECKING:
    from optuna import Study

STEP = "simulation"
Batches = Iterator[list[Trial]]


def run_search(step: str, config: DictConfig) -> bool:
    """Runs a search, prints its trials and how the best one is told on test images. True if all
    trials are over and one of them at least has a value.

    Toggles that do not go together make a trial that is refused. A trial that fails ends the
    search, for the next would rest on it.

    Raises:
        SettingError: the search cannot be; of its first trials nothing has been computed then.
    """
    if step != STEP:
        raise SettingError(
            "hydra/sweeper=optuna searches simulations, which validation images can judge, not"
            f" {step}: use hydra/sweeper=basic"
        )
    search, asked = search_settings(config), asked_of(config)
    space = space_of(asked.own)
    batches = _batches(search, space, here=runs_here(config))
    if asked.run.plan:
        _print_plan(batches, search)
        return True
    words = [*sorted(asked.own), search.sampler, str(search.seed), *search.metrics]
    name = name_of(asked.run, "search", words)
    trials: list[Trial] = []
    shown = Progress(
        "searching", search.n_trials, "trials", shown=asked.run.progress,
        counted=lambda: sum(not trial.is_open for trial in trials),
    )  # fmt: skip
    try:
        with shown:
            for batch in batches:
                trials += batch
                _launch([trial for trial in batch if trial.is_open], name, asked.shared, config)
                if any(trial.status not in OVER for trial in batch):
                    break
    finally:
        if trials:
            close(name, search, asked.own, space, trials)
    valued = any(trial.values_of(search.metrics) for trial in trials)
    return valued and all(trial.status in OVER for trial in trials)


def _batches(search: SearchSettings, space: Space, here: bool) -> Batches:
    """The trials as Optuna chooses them, so many at a time as are launched together; it is told of
    these when the next are asked for."""
    from optuna.trial import TrialState

    study, left = _study(search), search.n_trials
    while left:
        drawn = [study.ask(space.distributions) for _ in range(min(left, search.n_jobs))]
        batch = [_trial(each.number + 1, space.point(each.params), space, here) for each in drawn]
        yield batch
        for each, trial in zip(drawn, batch, strict=True):
            values = trial.values_of(search.metrics)
            if values is None:
                study.tell(each, state=TrialState.FAIL)
            else:
                study.tell(each, values)
        left -= len(batch)


def _study(search: SearchSettings) -> "Study":
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    sampler = getattr(optuna.samplers, SAMPLERS[search.sampler])(seed=search.seed)
    return optuna.create_study(directions=search.directions, sampler=sampler)


def _trial(number: int, point: list[str], space: Space, here: bool) -> Trial:
    """A trial as it stands: refused, done before, or open.

    Raises:
        SettingError: what a search may not choose by, or what a run cannot begin with.
    """
    label = ", ".join(f"{key}={value}" for key, value in space.drawn(point).items())
    trial = Trial(number, label, point)
    try:
        settings = composed(point)
    except SettingError as error:
        return trial.ended("refused", str(error))
    space.require_choice(settings)
    chain = Chain(settings)
    require_ready(STEP, chain, here=here)
    return trial.take(chain.record(STEP), there=True) if open_steps(STEP, chain) == [] else trial


def _launch(trials: list[Trial], name: str, shared: list[str], config: DictConfig) -> None:
    """Runs the trials by the configured launcher and notes what became of them."""
    if not trials:
        return
    own = copy.deepcopy(config)  # the launcher's jobs are as many as fit these trials
    chains = [Chain(composed(trial.overrides)) for trial in trials]
    task = partial(run_point, STEP, name, share_cores(STEP, own, chains))
    files = {point_file(name, trial.overrides): trial.overrides for trial in trials}
    forget(name, list(files.values()))
    try:
        launch_all(own, {file: [*point, *shared] for file, point in files.items()}, task)
    finally:
        for trial, chain in zip(trials, chains, strict=True):
            found = known(point_file(name, trial.overrides))
            if found.get("status") == "done":
                trial.take(chain.record(STEP))
            else:
                trial.ended(found.get("status", "missing"), found.get("error"))


def _print_plan(batches: Batches, search: SearchSettings) -> None:
    """Prints the next trials that are open, and how many are done before them."""
    done = 0
    for batch in batches:
        trials = [trial.overrides for trial in batch if trial.is_open]
        if trials:
            print_plan(STEP, trials)
            break
        done += len(batch)
    print(f"{done} of {search.n_trials} trials are done; each is chosen by those before it")
