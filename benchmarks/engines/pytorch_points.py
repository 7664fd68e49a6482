"""The flows of points in PyTorch: RealNVP and the continuous flow."""

import math
from itertools import pairwise

import torch
from torch import nn

from engines.pytorch_layers import DEVICE
from engines.pytorch_step import Step, adam

HIDDEN_COUPLING, HIDDEN_VELOCITY = (64, 64), (64, 64, 64)
COUPLINGS, SOLVER_STEPS = 8, 8
KINETIC_WEIGHT, JACOBIAN_WEIGHT = 0.01, 0.01
# Where in a step, as a share of it, the classic method takes its slopes.
SHARES = (0.0, 0.5, 0.5, 1.0)


class PointFlow(Step):
    """Maximum likelihood of points; a subclass writes `bend`, points -> (latents, log-determinants), or `losses`."""

    def __init__(self, case, fast, **networks):
        super().__init__(case, fast, **networks)
        self.mean, self.scale = torch.zeros(2, device=DEVICE), torch.ones(2, device=DEVICE)
        weights = [weight for network in self.networks.values() for weight in network.parameters()]
        self.optimizer = adam(weights, 5e-3)
        self.loss = self.compiled_loss()

    def compiled_loss(self):
        return self.fast(self.loss)

    def losses(self, points):
        """-log p of each point."""
        return self.nats(*self.bend((points - self.mean) / self.scale))

    def nats(self, latents, log_det):
        return 0.5 * latents.square().sum(1) + math.log(2 * math.pi) - log_det + self.scale.log().sum()

    def loss(self, points):
        return self.losses(points).mean()

    def __call__(self, points, labels, autocast):
        with autocast:
            loss = self.loss(points)
        self.learn(loss, self.optimizer)
        return {"loss": loss.detach()}

    def images(self, standard):
        return standard * self.scale + self.mean


class RealNVP(PointFlow):
    """Couplings that move the one and the other coordinate in turn."""

    def __init__(self, case, stock, fast):
        couplings = {f"coupling_{index + 1}": Coupling((index + 1) % 2) for index in range(COUPLINGS)}
        super().__init__(case, fast, **couplings)
        self.couplings = list(couplings.values())
        self.sampler = Inverse(self.couplings)

    def bend(self, points):
        log_det = 0.0
        for coupling in self.couplings:
            log_scale, shift = coupling(points)
            points = points * log_scale.exp() + shift
            log_det = log_det + log_scale.sum(1)
        return points, log_det


class Coupling(nn.Module):
    """What one coupling scales and shifts by, 0 for the coordinate that it leaves alone; it moves that at `place`."""

    def __init__(self, place):
        super().__init__()
        self.register_buffer("moves", torch.eye(2)[place])
        sizes = list(pairwise((2, *HIDDEN_COUPLING)))
        # In the order of Keras: layer by layer, not head by head.
        self.hidden = nn.ModuleList(nn.ModuleList(nn.Linear(*size) for _ in range(2)) for size in sizes)
        self.heads = nn.ModuleList(nn.Linear(HIDDEN_COUPLING[-1], 2) for _ in range(2))

    def forward(self, points):
        outputs = []
        for head in range(2):
            x = points * (1 - self.moves)
            for layers in self.hidden:
                x = torch.relu(layers[head](x))
            outputs.append(self.heads[head](x).float() * self.moves)
        return outputs[0].tanh(), outputs[1]


class Inverse(nn.Module):
    """Couplings the other way."""

    def __init__(self, couplings):
        super().__init__()
        self.couplings = nn.ModuleList(couplings)

    def forward(self, points):
        for coupling in reversed(self.couplings):
            log_scale, shift = coupling(points)
            points = (points - shift) * (-log_scale).exp()
        return points


class ContinuousFlow(PointFlow):
    """A velocity that is followed by the classic Runge-Kutta method, the exact trace of its Jacobian, a price of both.

    One step of the solver is compiled, and called eight times: all of them together would be compiled for minutes.
    """

    def __init__(self, case, stock, fast):
        super().__init__(case, fast, velocity=Velocity())
        self.velocity = self.networks["velocity"]

    def compiled_loss(self):
        self.traced_step = self.fast(self.traced_step)
        return self.loss

    def losses(self, points):
        """-log p of each point, and the price of its way."""
        latents, log_det, price = self.traced((points - self.mean) / self.scale)
        return self.nats(latents, log_det) + price

    def traced(self, points):
        """(latent points, log-determinants, prices)."""
        nothing = torch.zeros(len(points), device=points.device)
        state = points, nothing, nothing
        for time in times(1.0, -1, points.device):
            state = self.traced_step(*state, time)
        return state

    def traced_step(self, points, log_det, price, time):
        found, at = [], points
        for index, share in enumerate(SHARES):
            if index > 0:
                at = points - share / SOLVER_STEPS * found[-1][0]
            velocity, trace, squares = self.velocity.with_slopes(at, time - share / SOLVER_STEPS)
            found.append((velocity, trace, KINETIC_WEIGHT * velocity.square().sum(1) + JACOBIAN_WEIGHT * squares))
        velocity, trace, rate = (mean_slope(slopes) / SOLVER_STEPS for slopes in zip(*found))
        return points - velocity, log_det - trace, price + rate

    def step(self, points, time):
        slopes = []
        for share in SHARES:
            at = points + share / SOLVER_STEPS * slopes[-1] if slopes else points
            slopes.append(self.velocity(at, time + share / SOLVER_STEPS))
        return points + mean_slope(slopes) / SOLVER_STEPS

    def ready_to_sample(self):
        self.step = self.fast(self.step)

    def samples(self, latents, labels):
        for time in times(0.0, 1, latents.device):
            latents = self.step(latents, time)
        return self.images(latents)


def times(start, sign, device):
    """When the solver's steps begin: tensors, so that one compiled step serves all."""
    return [torch.full((), start + sign * index / SOLVER_STEPS, device=device) for index in range(SOLVER_STEPS)]


def mean_slope(slopes):
    first, second, third, fourth = slopes
    return (first + 2 * second + 2 * third + fourth) / 6


class Velocity(nn.Module):
    """Dense layers, points and a time -> velocity; its slopes by tangents that are carried along."""

    def __init__(self):
        super().__init__()
        self.layers = nn.ModuleList(nn.Linear(*size) for size in pairwise((3, *HIDDEN_VELOCITY)))
        self.last = nn.Linear(HIDDEN_VELOCITY[-1], 2)

    def forward(self, points, time):
        x = torch.cat([points, time.expand(len(points), 1)], 1)
        for layer in self.layers:
            x = layer(x).tanh()
        return self.last(x).float()

    def with_slopes(self, points, time):
        """(velocity, trace of its Jacobian, sum of that one's squares)."""
        x = torch.cat([points, time.expand(len(points), 1)], 1)
        # (2, batch, units): how the numbers move with each coordinate.
        tangents = None
        for layer in self.layers:
            x = layer(x).tanh()
            moved = layer.weight.t()[:2, None] if tangents is None else tangents @ layer.weight.t()
            tangents = (1 - x.square()) * moved
        jacobian = tangents @ self.last.weight.t()
        return self.last(x), jacobian[0, :, 0] + jacobian[1, :, 1], jacobian.square().sum((0, 2))
