"""A search: Optuna chooses each trial by what the trials before it gave.

Nothing of Optuna's is kept. The sampler is seeded and is told of the trials in their order, so the
same command chooses the same trials again: what is in the store costs nothing, a search that was
stopped goes on, and one of more trials begins with those of the shorter one.
"""

import copy
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from omegaconf import DictConfig

from ann2snn.config.composition import composed
from ann2snn.config.schema import RunSettings, Settings
from ann2snn.pipeline.chain import Chain
from ann2snn.pipeline.outlook import open_steps
from ann2snn.pipeline.preflight import require_all_ready, require_ready
from ann2snn.progress import Progress
from ann2snn.records import known
from ann2snn.settings import SettingError
from ann2snn.sweep.asked import asked_of, name_of
from ann2snn.sweep.launchers import launch_all, run_point, runs_here, share_cores
from ann2snn.sweep.plan import print_plan
from ann2snn.sweep.search_images import require_choice
from ann2snn.sweep.search_settings import SAMPLERS, SearchSettings, search_settings
from ann2snn.sweep.search_space import Space, space_of
from ann2snn.sweep.search_table import OVER, Table, Trial
from ann2snn.sweep.table import forget, point_file

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
        SettingError: the search cannot be, a listed value is wrong, or no trial can be; nothing has
            been computed then.
    """
    if step != STEP:
        raise SettingError(
            "hydra/sweeper=optuna searches simulations, which validation images can judge, not"
            f" {step}: use hydra/sweeper=basic"
        )
    search, asked = search_settings(config), asked_of(config)
    space = space_of(asked.own)
    here = runs_here(config) and not asked.run.plan
    batches = _batches(search, space, _probed(space, search, here), here)
    if asked.run.plan:
        _print_plan(batches, search)
        return True
    name = name_of_search(asked.run, space, search)
    table = Table(name, search, asked.own, space)
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
                if not _all_refused(trials):
                    table.write(trials)
                if any(trial.status not in OVER for trial in batch):
                    break
    finally:
        if not _all_refused(trials):
            table.close(trials)
    if _all_refused(trials):
        raise SettingError(f"no trial of the search can be, the first one since {trials[0].error}")
    valued = any(trial.values_of(search.metrics) for trial in trials)
    return valued and all(trial.status in OVER for trial in trials)


def _all_refused(trials: list[Trial]) -> bool:
    return all(trial.status == "refused" for trial in trials)


def name_of_search(run: RunSettings, space: Space, search: SearchSettings) -> str:
    """What the user calls the search, else a name made of all that decides which trials it draws,
    whatever their number."""
    return name_of(run, ["search", repr(space), repr(replace(search, n_trials=1))])


def _probed(space: Space, search: SearchSettings, here: bool) -> list[Settings]:
    """The settings of points that have each listed value, of those that can be.

    Raises:
        SettingError: what a search may not choose by, or what a run cannot begin with.
    """
    found = []
    for point in space.probes():
        try:
            found.append(composed(point))
        except SettingError:
            continue  # toggles that do not go together: each trial is asked itself
    require_choice(found, search.metrics)
    require_all_ready(STEP, [("", Chain(settings)) for settings in found], here=here)
    return found


def _batches(search: SearchSettings, space: Space, alike: list[Settings], here: bool) -> Batches:
    """The trials as Optuna chooses them, so many at a time as are launched together; it is told of
    these when the next are asked for."""
    from optuna.trial import TrialState

    study, left, made = _study(search), search.n_trials, set[str]()
    while left:
        drawn = [study.ask(space.distributions) for _ in range(min(left, search.n_jobs))]
        batch = [Trial.of(each.number + 1, space.point(each.params), space) for each in drawn]
        for trial in batch:
            _look_up(trial, search, alike, here, made)
        yield batch
        made |= {trial.key for trial in batch if trial.key and not trial.there}
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


def _look_up(
    trial: Trial, search: SearchSettings, alike: list[Settings], here: bool, made: set[str]
) -> None:
    """Notes of a trial that it is refused, or its result where there is one; `made` are the keys
    that this search itself has computed.

    Raises:
        SettingError: it is measured otherwise than those `alike`, or cannot begin.
    """
    try:
        settings = composed(trial.overrides)
    except SettingError as error:
        trial.ended("refused", str(error))
        return
    require_choice([*alike, settings], search.metrics)
    chain = Chain(settings)
    require_ready(STEP, chain, here=here)
    if open_steps(STEP, chain) == []:
        record = chain.record(STEP)
        trial.take(record, there=record.key not in made)


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
        done += len(batch) - len(trials)
        if trials:
            print_plan(STEP, trials)
            break
    print(f"{done} of {search.n_trials} trials are over; each is chosen by those before it")
