"""The flows of points in PyTorch: RealNVP and the continuous flow."""

import math
from itertools import pairwise

import torch
from torch import nn

from engines.pytorch_layers import DEVICE
from engines.pytorch_step import Step, adam

HIDDEN_COUPLING, HIDDEN_VELOCITY = (64, 64), (64, 64, 64)
COUPLINGS, SOLVER_STEPS = 8, 8


class PointFlow(Step):
    """Maximum likelihood of points.  A subclass writes `bend`: points -> (latent points, log-determinants)."""

    def __init__(self, case, fast, **networks):
        super().__init__(case, fast, **networks)
        self.mean, self.scale = torch.zeros(2, device=DEVICE), torch.ones(2, device=DEVICE)
        weights = [weight for network in self.networks.values() for weight in network.parameters()]
        self.optimizer = adam(weights, 5e-3)
        self.loss = self.compiled_loss()

    def compiled_loss(self):
        return self.fast(self.loss)

    def nats(self, points):
        """-log p of each point."""
        latents, log_det = self.bend((points - self.mean) / self.scale)
        return 0.5 * latents.square().sum(1) + math.log(2 * math.pi) - log_det + self.scale.log().sum()

    def loss(self, points):
        return self.nats(points).mean()

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
    """A velocity that is followed by the classic Runge-Kutta method, and the exact trace of its Jacobian."""

    def __init__(self, case, stock, fast):
        super().__init__(case, fast, velocity=Velocity())
        self.sampler = Followed(self.networks["velocity"])

    def compiled_loss(self):
        # One step of the solver, called eight times: all of them together would be compiled for minutes.
        self.step = self.fast(self.step)
        return self.loss

    def bend(self, points):
        length = -1 / SOLVER_STEPS
        state = points, torch.zeros(len(points), device=points.device)
        for index in range(SOLVER_STEPS):
            # A tensor, so that one compiled step serves all.
            time = torch.full((), 1 + index * length, device=points.device)
            state = self.step(*state, time, length)
        return state

    def step(self, points, trace, time, length):
        velocity = self.networks["velocity"].with_trace
        k1, d1 = velocity(points, time)
        k2, d2 = velocity(points + length / 2 * k1, time + length / 2)
        k3, d3 = velocity(points + length / 2 * k2, time + length / 2)
        k4, d4 = velocity(points + length * k3, time + length)
        moved = points + length / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
        return moved, trace + length / 6 * (d1 + 2 * d2 + 2 * d3 + d4)


class Velocity(nn.Module):
    """Dense layers, points and a time -> velocity; with the trace of its Jacobian by tangents carried along."""

    def __init__(self):
        super().__init__()
        self.layers = nn.ModuleList(nn.Linear(*size) for size in pairwise((3, *HIDDEN_VELOCITY)))
        self.last = nn.Linear(HIDDEN_VELOCITY[-1], 2)

    def forward(self, points, time):
        x = torch.cat([points, time.expand(len(points), 1)], 1)
        for layer in self.layers:
            x = layer(x).tanh()
        return self.last(x).float()

    def with_trace(self, points, time):
        x = torch.cat([points, time.expand(len(points), 1)], 1)
        # (2, batch, units): how the numbers move with each coordinate.
        tangents = None
        for layer in self.layers:
            x = layer(x).tanh()
            moved = layer.weight.t()[:2, None] if tangents is None else tangents @ layer.weight.t()
            tangents = (1 - x.square()) * moved
        return self.last(x), (tangents * self.last.weight[:, None]).sum((0, 2))


class Followed(nn.Module):
    """Latent points on their way to examples."""

    def __init__(self, velocity):
        super().__init__()
        self.velocity = velocity

    def forward(self, points):
        length = 1 / SOLVER_STEPS
        for index in range(SOLVER_STEPS):
            time = torch.full((), index * length, device=points.device)
            k1 = self.velocity(points, time)
            k2 = self.velocity(points + length / 2 * k1, time + length / 2)
            k3 = self.velocity(points + length / 2 * k2, time + length / 2)
            k4 = self.velocity(points + length * k3, time + length)
            points = points + length / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
        return points
