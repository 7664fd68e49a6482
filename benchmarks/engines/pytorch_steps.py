"""Training steps of autoencoders and GANs in PyTorch."""

import torch
from torch import nn
from torch.nn import functional as F

from engines import pytorch_networks as networks
from engines.pytorch_layers import DEVICE
from engines.pytorch_step import ON_GPU, Step, adam


class Autoencoder(Step):
    """The autoencoder, and with two heads the variational one with the book's weights."""

    images = staticmethod(torch.sigmoid)

    def __init__(self, case, stock, fast, heads=1):
        super().__init__(case, fast, encoder=networks.Encoder(case, heads), decoder=networks.decoder(case))
        self.encoder, self.decoder = self.networks.values()
        self.heads = heads
        parameters = [*self.encoder.parameters(), *self.decoder.parameters()]
        self.optimizer = adam(parameters, 1e-3 if heads == 1 else 5e-4)
        self.loss = self.fast(self.loss)
        self.sampler = self.decoder

    def loss(self, images):
        if self.heads == 1:
            return F.binary_cross_entropy_with_logits(self.decoder(*self.encoder(images)).float(), images)
        mean, log_variance = (head.float() for head in self.encoder(images))
        z = mean + torch.exp(0.5 * log_variance) * torch.randn_like(mean)
        error = F.binary_cross_entropy_with_logits(self.decoder(z).float(), images)
        kl = 0.5 * (mean.square() + log_variance.exp() - log_variance - 1).sum(1).mean()
        return 500 * error + kl

    def __call__(self, images, labels, autocast):
        with autocast:
            loss = self.loss(images)
        self.learn(loss, self.optimizer)
        return {"loss": loss.detach()}


class ConvolutionalGAN(Step):
    """Generators whose images are in [-1, 1]."""

    symmetric = True

    @staticmethod
    def images(made):
        return made * 0.5 + 0.5


class GAN(ConvolutionalGAN):
    """The DCGAN, and the dense GAN: one forward pass of the generator serves both steps."""

    def __init__(self, case, fast, generator, judge, optimizers):
        super().__init__(case, fast, generator=generator, judge=judge)
        self.generator, self.judge, self.sampler = generator, judge, generator
        self.generator_optimizer, self.judge_optimizer = optimizers
        self.norms = [module for module in judge.modules() if isinstance(module, nn.BatchNorm2d)]
        self.generate, self.judge_loss = self.fast(self.generate), self.fast(self.judge_loss)
        self.generator_loss = self.fast(self.generator_loss)

    def generate(self, size, labels):
        return self.generator(torch.randn(size, self.case.latent_dim, device=DEVICE))

    def judge_loss(self, reals, fakes, labels):
        """Soft labels; a batch each, because of the normalisation."""
        noise = 0.1 * torch.rand(2, len(reals), 1, device=DEVICE)
        real = F.binary_cross_entropy_with_logits(self.judge(reals).float(), 1 - noise[0])
        return 0.5 * (real + F.binary_cross_entropy_with_logits(self.judge(fakes).float(), noise[1]))

    def generator_loss(self, fakes, labels):
        return F.softplus(-self.judge(fakes).float()).mean()

    def learns(self, judge_learns):
        """In the generator's step the judge needs no gradients, and its normalisation follows nothing."""
        self.judge.requires_grad_(judge_learns)
        for norm in self.norms:
            norm.track_running_stats = judge_learns

    def __call__(self, reals, labels, autocast):
        with autocast:
            fakes = self.generate(len(reals), labels)
            judge_loss = self.judge_loss(reals, fakes.detach(), labels)
        self.learn(judge_loss, self.judge_optimizer)
        self.learns(False)
        with autocast:
            generator_loss = self.generator_loss(fakes, labels)
        self.learn(generator_loss, self.generator_optimizer)
        self.learns(True)
        return {"judge": judge_loss.detach(), "generator": generator_loss.detach()}


class DenseGAN(GAN):
    """The same on dense networks: hard labels, reals and generated images in one batch, RMSprop."""

    symmetric = False
    images = staticmethod(Step.images)

    def __init__(self, case, stock, fast):
        generator, judge = networks.dense_generator(case), networks.dense_discriminator(case)
        settings = {"lr": 1e-3, "alpha": 0.9, "eps": 1e-7, "foreach": True, "capturable": ON_GPU}
        optimizers = [torch.optim.RMSprop(network.parameters(), **settings) for network in (generator, judge)]
        super().__init__(case, fast, generator, judge, optimizers)
        self.signs = torch.ones(2 * case.batch_size, 1)
        self.signs[: case.batch_size] = -1

    def judge_loss(self, reals, fakes, labels):
        return F.softplus(self.signs * self.judge(torch.cat([reals, fakes])).float()).mean()


class HingeGAN(GAN):
    """The hinge GAN with an average of the generator."""

    def __init__(self, case, stock, fast):
        generator, judge = networks.HingeGenerator(case), networks.HingeDiscriminator(case)
        optimizers = [adam(generator.parameters(), 2e-4, 0.0, 0.9), adam(judge.parameters(), 4e-4, 0.0, 0.9)]
        super().__init__(case, fast, generator, judge, optimizers)
        self.sampler = networks.HingeGenerator(case).to(memory_format=torch.channels_last).requires_grad_(False)
        self.averages = list(self.sampler.parameters())

    def generate(self, size, labels):
        return self.generator(torch.randn(size, self.case.latent_dim, device=DEVICE), labels)

    def judge_loss(self, reals, fakes, labels):
        scores = self.judge(torch.cat([reals, fakes]), torch.cat([labels, labels])).float()
        real, fake = scores.chunk(2)
        return F.relu(1 - real).mean() + F.relu(1 + fake).mean()

    def generator_loss(self, fakes, labels):
        return -self.judge(fakes, labels).float().mean()

    def learns(self, judge_learns):
        """Out of training mode spectral normalisation makes no further power iteration."""
        self.judge.requires_grad_(judge_learns).train(judge_learns)

    def __call__(self, reals, labels, autocast):
        losses = super().__call__(reals, labels, autocast)
        with torch.no_grad():
            torch._foreach_lerp_(self.averages, list(self.generator.parameters()), 0.001)
        return losses


def _dcgan(case, stock, fast):
    generator = networks.generator(case.latent_dim, case.image_shape[-1], (512, 256, 128, 64), use_bias=False)
    judge = networks.discriminator(case, stock)
    return GAN(case, fast, generator, judge, [adam(network.parameters(), 2e-4, 0.5) for network in (generator, judge)])


class WGANGP(ConvolutionalGAN):
    """The WGAN-GP, each step of the critic with real images of its own; with labels the conditional one."""

    def __init__(self, case, stock, fast):
        classes = case.num_classes or 0
        channels = case.image_shape[-1]
        filters = [(512, 256, 128, 64), (64, 128, 256, 512)]
        if classes:
            filters = [(128, 128, 128, 64), (64, 128, 128, 128)]
        generator = networks.generator(case.latent_dim + classes, channels, filters[0], use_bias=True)
        critic = networks.critic(channels + classes, filters[1], stock)
        super().__init__(case, fast, generator=generator, judge=critic)
        self.generator, self.critic = generator, critic
        rate = 5e-5 if classes else 2e-4
        weights = generator.parameters(), critic.parameters()
        self.generator_optimizer, self.critic_optimizer = (adam(of_one, rate, 0.5, 0.9) for of_one in weights)
        # Compiled code cannot be differentiated twice: the penalty stays as it is.
        self.generate, self.distance = self.fast(self.generate), self.fast(self.distance)
        self.generator_loss = self.fast(self.generator_loss)
        self.sampler = _WithLabels(generator, classes) if classes else generator

    def generate(self, size, labels):
        points = torch.randn(size, self.case.latent_dim, device=DEVICE)
        if labels is not None:
            points = torch.cat([points, F.one_hot(labels, self.case.num_classes).float()], 1)
        return self.generator(points)

    def judge(self, images, labels, training):
        """The critic's scores; dropout only where it trains."""
        if labels is not None:
            planes = F.one_hot(labels, self.case.num_classes).to(images.dtype)[:, :, None, None]
            images = torch.cat([images, planes.expand(-1, -1, *images.shape[2:])], 1)
            images = images.contiguous(memory_format=torch.channels_last)
        self.critic.train(training)
        return self.critic(images).float()

    def distance(self, reals, fakes, labels):
        both = None if labels is None else torch.cat([labels, labels])
        real, fake = self.judge(torch.cat([reals, fakes]), both, training=True).chunk(2)
        return real.mean() - fake.mean()

    def penalty(self, reals, fakes, labels):
        mixed = torch.lerp(fakes, reals, torch.rand(len(reals), 1, 1, 1, device=DEVICE)).requires_grad_()
        # A view: PyTorch's counter of operations stumbles over a leaf.
        scores = self.judge(mixed.view_as(mixed), labels, training=False)
        gradient = torch.autograd.grad(scores.sum(), mixed, create_graph=True)[0]
        return (torch.sqrt(gradient.square().sum((1, 2, 3)) + 1e-12) - 1).square().mean()

    def generator_loss(self, fakes, labels):
        return -self.judge(fakes, labels, training=False).mean()

    def __call__(self, images, labels, autocast):
        steps = self.case.judge_steps
        label_parts = [None] * steps if labels is None else labels.chunk(steps)
        for reals, part in zip(images.chunk(steps), label_parts):
            with autocast:
                with torch.no_grad():
                    fakes = self.generate(len(reals), part).float()
                critic_loss = 10 * self.penalty(reals, fakes, part) - self.distance(reals, fakes, part)
            self.learn(critic_loss, self.critic_optimizer)
        self.critic.requires_grad_(False)
        with autocast:
            generator_loss = self.generator_loss(self.generate(len(reals), part), part)
        self.learn(generator_loss, self.generator_optimizer)
        self.critic.requires_grad_(True)
        return {"judge": critic_loss.detach(), "generator": generator_loss.detach()}


class _WithLabels(nn.Module):
    """A generator whose points end in a one-hot label."""

    def __init__(self, generator, classes):
        super().__init__()
        self.generator, self.classes = generator, classes

    def forward(self, points, labels):
        return self.generator(torch.cat([points, F.one_hot(labels, self.classes).float()], 1))


STEPS = {
    "autoencoder": Autoencoder,
    "vae": lambda *arguments: Autoencoder(*arguments, heads=2),
    "dcgan": _dcgan,
    "wgan_gp": WGANGP,
    "cgan": WGANGP,
    "hinge_gan": HingeGAN,
    "gan": DenseGAN,
}
