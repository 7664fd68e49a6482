"""A character GPT in PyTorch, as nanoGPT's recipe has it, and its loop that writes with a cache.

Fused AdamW, weight decay of matrices alone, `scaled_dot_product_attention`, tied weights, random windows as batches,
gradients set to None; `torch.compile` by option.  One thread or all that the process may use, as PyTorch finds them.
"""

import os

import numpy as np
import torch
import torch.nn.functional as functional
from torch import nn

torch.set_flush_denormal(True)


class Block(nn.Module):
    """Attention and a network of two layers, each normalised before it reads."""

    def __init__(self, dim, heads):
        super().__init__()
        self.heads = heads
        self.norm_1, self.norm_2 = nn.LayerNorm(dim), nn.LayerNorm(dim)
        self.query_key_value, self.output = nn.Linear(dim, 3 * dim), nn.Linear(dim, dim)
        self.inner, self.outer = nn.Linear(dim, 4 * dim), nn.Linear(4 * dim, dim)

    def forward(self, x, cache=None, place=0):
        batch, length, dim = x.shape
        parts = self.query_key_value(self.norm_1(x)).split(dim, dim=2)
        query, key, value = (part.view(batch, length, self.heads, -1).transpose(1, 2) for part in parts)
        if cache is not None:
            cache[:, :, :, place] = torch.stack((key, value))[:, :, :, 0]
            key, value = cache[:, :, :, : place + 1]
        heads = functional.scaled_dot_product_attention(query, key, value, is_causal=cache is None)
        x = x + self.output(heads.transpose(1, 2).reshape(batch, length, dim))
        return x + self.outer(functional.gelu(self.inner(self.norm_2(x))))


class Network(nn.Module):
    """Tokens (batch, length) -> logits (batch, length, vocabulary)."""

    def __init__(self, vocabulary_size, length, dim, blocks, heads):
        super().__init__()
        self.tokens, self.positions = nn.Embedding(vocabulary_size, dim), nn.Embedding(length, dim)
        self.blocks = nn.ModuleList(Block(dim, heads) for _ in range(blocks))
        self.norm = nn.LayerNorm(dim)
        for name, parameter in self.named_parameters():
            if parameter.dim() == 2:
                is_output = name.endswith(("output.weight", "outer.weight"))
                nn.init.normal_(parameter, std=0.02 / (2 * blocks) ** 0.5 if is_output else 0.02)
            elif "norm" not in name:
                nn.init.zeros_(parameter)

    def forward(self, tokens, caches=None, place=0):
        places = torch.arange(place, place + tokens.shape[1])
        x = self.tokens(tokens) + self.positions(places)
        for number, block in enumerate(self.blocks):
            x = block(x, None if caches is None else caches[number], place)
        return functional.linear(self.norm(x), self.tokens.weight)


class PyTorchGPT:
    """What `language.py` asks of an engine; `sizes` as `Network` takes them."""

    def __init__(self, sizes, seed, train, batch_size, compiled=False):
        torch.manual_seed(seed)
        torch.set_num_threads(len(os.sched_getaffinity(0)))
        self.network = Network(**sizes)
        self.length, self.batch_size = sizes["length"], batch_size
        matrices = [p for p in self.network.parameters() if p.dim() == 2]
        vectors = [p for p in self.network.parameters() if p.dim() < 2]
        groups = [{"params": matrices, "weight_decay": 0.1}, {"params": vectors, "weight_decay": 0.0}]
        self.optimizer = torch.optim.AdamW(groups, lr=1e-3, betas=(0.9, 0.99), fused=True)
        self.loss_of = torch.compile(self._loss_of) if compiled else self._loss_of
        rows = train.rows("tokens", slice(None))
        self.text = torch.from_numpy(np.append(rows[:, :-1].reshape(-1), rows[-1, -1]).astype("int64"))
        self.parameters = sum(p.numel() for p in self.network.parameters())

    def _loss_of(self, windows):
        logits = self.network(windows[:, :-1])
        return functional.cross_entropy(logits.flatten(0, 1), windows[:, 1:].flatten())

    def train(self, steps, rate):
        """Takes steps at a learning rate."""
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        for _ in range(steps):
            starts = torch.randint(len(self.text) - self.length, (self.batch_size,))
            loss = self.loss_of(torch.stack([self.text[start : start + self.length + 1] for start in starts]))
            loss.backward()
            nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
            self.optimizer.step()
            self.optimizer.zero_grad(set_to_none=True)

    @torch.inference_mode()
    def loss(self, windows):
        """Nats a token of held-out windows, int array (n, length + 1), all but their first tokens."""
        parts = torch.from_numpy(windows.astype("int64")).split(50)
        return float(np.average([self._loss_of(part) for part in parts], weights=[len(part) for part in parts]))

    @torch.inference_mode()
    def write(self, count):
        """Draws `count` tokens, one after the other, with a cache."""
        block = self.network.blocks[0]
        width = self.network.tokens.weight.shape[1] // block.heads
        caches = torch.zeros(len(self.network.blocks), 2, 1, block.heads, self.length, width)
        token = torch.zeros((1, 1), dtype=torch.int64)
        for place in range(count):
            logits = self.network(token, caches, place)[:, -1]
            token = torch.multinomial(torch.softmax(logits, dim=-1), 1)
