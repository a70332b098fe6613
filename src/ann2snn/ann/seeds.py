"""Seeds of a training that differ from epoch to epoch and from seed to seed."""

EPOCHS_APART = 1_000_003  # an epoch draws by the seed: seed * EPOCHS_APART + epoch, below 2^64
