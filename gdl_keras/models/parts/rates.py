"""Learning rates of a model whose networks have an optimizer each, for those who look for them at `model.optimizer`."""

from gdl_keras.errors import InputError
from gdl_keras.models.parts.accumulation import inner_optimizer


def refuse_silent_average(name, optimizer):
    """Raises InputError where the optimizer of one of several networks averages weights that nobody would ever use.

    At the end of `fit` Keras puts the average in the place of the weights for a model's only optimizer.
    """
    inner = inner_optimizer(optimizer)
    if inner.use_ema and not inner.ema_overwrite_frequency:
        raise InputError(
            f"use_ema of {name} would change nothing: give the model itself ema_decay={inner.ema_momentum}, "
            "or the optimizer an ema_overwrite_frequency."
        )


def refuse_taken(name, optimizer, variables):
    """Raises InputError where an optimizer that is to train `variables` was built for others."""
    inner = inner_optimizer(optimizer)
    known = {id(variable) for variable in inner._trainable_variables}
    if inner.built and any(id(variable) not in known for variable in variables):
        kind = type(inner).__name__
        raise InputError(f"{name} trains other weights already: give it one of its own, {kind}(...).")


class NetworkOptimizers:
    """`model.optimizer` of a GAN: no optimizer, but what callbacks ask one for.

    Keras's `LearningRateScheduler` and `ReduceLROnPlateau` go through `optimizers`, and ask for a new rate for each
    network, given its own: halved, they keep their ratio.

    Args:
        by_network: {name of the network: its optimizer}.
    """

    built = True

    def __init__(self, by_network):
        self._by_network = by_network

    @property
    def optimizers(self):
        """One for each network, called as the network is: list of `NetworkOptimizer`."""
        return [NetworkOptimizer(name, optimizer) for name, optimizer in self._by_network.items()]

    @property
    def learning_rate(self):
        """The rate of all networks.  Assigning changes them all.

        Raises:
            InputError: they differ, so that there is no such number.
        """
        rates = {name: float(optimizer.learning_rate) for name, optimizer in self._by_network.items()}
        if len(set(rates.values())) > 1:
            each = " and ".join(f"{name}_optimizer.learning_rate ({rate:g})" for name, rate in rates.items())
            raise InputError(f"The networks learn at different rates: read and assign {each} of the model, one by one.")
        return next(iter(self._by_network.values())).learning_rate

    @learning_rate.setter
    def learning_rate(self, rate):
        for optimizer in self._by_network.values():
            optimizer.learning_rate = rate

    @property
    def iterations(self):
        """How many steps the network has taken that learns first."""
        return next(iter(self._by_network.values())).iterations

    @property
    def variables(self):
        """Those of all optimizers, in order: list of `keras.Variable`."""
        return [variable for optimizer in self._by_network.values() for variable in optimizer.variables]


class NetworkOptimizer:
    """One of them, as Keras's callbacks see it: a name for the history, and a rate.

    Args:
        name: str, the network's.
        optimizer: `keras.optimizers.Optimizer`.
    """

    def __init__(self, name, optimizer):
        self.name = name
        self._optimizer = inner_optimizer(optimizer)

    @property
    def learning_rate(self):
        """The rate, a `keras.Variable`; assigning a number changes it."""
        return self._optimizer.learning_rate

    @learning_rate.setter
    def learning_rate(self, rate):
        self._optimizer.learning_rate = rate
