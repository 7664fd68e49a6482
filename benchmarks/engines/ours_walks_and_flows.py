"""This project's flows, its energy-based model, diffusion and flow matching, as their chapters' presets build them."""

from keras.optimizers import Adam

from gdl_keras.models import EBM, ContinuousFlow, Diffusion, FlowMatching, ImageFlow, RealNVP
from gdl_keras.models.diffusion import build_quick_unet, build_unet
from gdl_keras.models.energy import build_energy_network
from gdl_keras.models.flows import build_coupling_networks, build_velocity_network
from gdl_keras.optimizers import FusedAdam, FusedAdamW


def _realnvp(case):
    networks = build_coupling_networks(8, units=(64, 64))
    return RealNVP(networks), {network.name: network for network in networks}, Adam(5e-3)


def _continuous_flow(case):
    network = build_velocity_network()
    return ContinuousFlow(network), {"velocity": network}, Adam(5e-3)


def _image_flow(case):
    model = ImageFlow(case.image_shape, levels=3, steps=6, filters=48, dequantization="variational")
    return model, {"flow": model}, FusedAdam(3e-3, clipnorm=1.0)


def _ebm(case):
    network = build_energy_network(case.image_shape)
    chains = {"steps": 20, "buffer_size": 2048, "reach": 0.25, "sampling_steps": case.sampling_steps}
    return EBM(network, **chains, penalty=0.01, data_noise=0.02), {"network": network}, Adam(7e-4)


def _diffusion(case):
    unet = build_quick_unet(case.image_shape)
    model = Diffusion(unet, ema_decay=0.995, steps=case.sampling_steps)
    return model, {"unet": unet}, FusedAdamW(3e-3, weight_decay=0.0, beta_2=0.99, global_clipnorm=1.0)


def _book_diffusion(case):
    unet = build_unet(case.image_shape)
    options = {"schedule": "offset_cosine", "target": "noise", "error": "absolute", "times": "uniform"}
    model = Diffusion(unet, **options, steps=case.sampling_steps)
    return model, {"unet": unet}, FusedAdamW(1e-3, weight_decay=1e-4)


def _flow_matching(case):
    unet = build_quick_unet(case.image_shape)
    model = FlowMatching(unet, ema_decay=0.995, steps=case.sampling_steps)
    return model, {"unet": unet}, FusedAdam(3e-3, beta_2=0.99, global_clipnorm=1.0)


BUILDERS = {
    "realnvp": _realnvp,
    "continuous_flow": _continuous_flow,
    "image_flow": _image_flow,
    "ebm": _ebm,
    "diffusion": _diffusion,
    "book_diffusion": _book_diffusion,
    "flow_matching": _flow_matching,
}
