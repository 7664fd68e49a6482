"""What benchmarks count, by hand and by TensorFlow's graph, and when their guard says that something became slower."""

import ast
import importlib
import sys
from pathlib import Path

import keras
import pytest
import tensorflow as tf
from keras import layers

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"


@pytest.fixture
def benchmark(monkeypatch):
    """Imports a module of `benchmarks/` by its name."""
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    before = set(sys.modules)
    yield importlib.import_module
    for name in set(sys.modules) - before:
        if str(BENCHMARKS) in str(getattr(sys.modules[name], "__file__", "")):
            del sys.modules[name]


@pytest.fixture
def critic():
    """Two convolutions and a dense layer."""
    images = keras.Input((8, 8, 3))
    x = layers.LeakyReLU()(layers.Conv2D(4, 3, strides=2, padding="same")(images))
    x = layers.LeakyReLU()(layers.Conv2D(5, 2, padding="valid")(x))
    return keras.Model(images, layers.Dense(1)(layers.Flatten()(x)))


# Two operations for each product of a weight and a number, at every place of the output.
FIRST, SECOND, LAST = 2 * 16 * (3 * 3 * 3 * 4), 2 * 9 * (2 * 2 * 4 * 5), 2 * 45


def test_operations_are_counted_from_the_layers(benchmark, critic):
    work = benchmark("work")
    assert work.forward(critic) == FIRST + SECOND + LAST
    assert work.weight_gradients(critic) == FIRST + 2 * (SECOND + LAST)
    assert work.weight_gradients(critic, of_input=True) == 2 * (FIRST + SECOND + LAST)
    assert work.input_gradient(critic) == FIRST + SECOND + LAST
    # The penalty: forward, to the image, and along the way back up all weights and all but the last layer's inputs.
    assert work.gradient_penalty(critic) == 4 * (FIRST + SECOND + LAST) - LAST


def test_a_transposed_convolution_is_laid_on_its_input(benchmark):
    latents = keras.Input((4, 4, 6))
    network = keras.Model(latents, layers.Conv2DTranspose(2, 4, strides=2, padding="same")(latents))
    assert benchmark("work").forward(network) == 2 * 16 * (4 * 4 * 2 * 6)


def test_tensorflows_graph_has_the_operations_of_a_wasserstein_step(benchmark, monkeypatch):
    from gdl_keras.layers import halving_convolution
    from gdl_keras.models import wgan_gp

    # Over blocks, images have a margin that is cut off: more of it, the smaller they are.
    monkeypatch.setattr(halving_convolution, "FEW_CHANNELS", 0)

    graph, work = benchmark("graph"), benchmark("work")
    generator = wgan_gp.build_generator((16, 16, 1), 6, (8, 4))
    critic = wgan_gp.build_critic((16, 16, 1), (4, 8))
    model = wgan_gp.WGANGP(generator, critic, critic_steps=2, seed=0)
    model.compile("adam", "adam")
    images = tf.zeros((1, 2 * 5, 16, 16, 1)).numpy()
    counted = work.wasserstein(generator, critic, 2)
    assert graph.graph_operations(model, images) / 10 == pytest.approx(counted, rel=0.02)


def test_the_guard_sees_what_fell_and_what_does_not_run(benchmark):
    fallen = benchmark("check").fallen
    before = {"training, float32 over plain": 1.0, "sampling, best over pytorch": 0.5}
    assert fallen(before, before) == []
    assert fallen({name: 0.81 * ratio for name, ratio in before.items()}, before) == []
    assert fallen({**before, "new": 0.1}, before) == []
    (slower,) = fallen({**before, "sampling, best over pytorch": 0.39}, before)
    assert slower == "sampling, best over pytorch was 0.50 and is 0.39"
    (lost,) = fallen({"sampling, best over pytorch": 0.5}, before)
    assert lost == "training, float32 over plain was 1.00, and an engine does not run"


def test_the_guard_asks_for_what_it_has_not_stored(benchmark, monkeypatch, tmp_path, capsys):
    check = benchmark("check")
    monkeypatch.setattr(check, "STORED", tmp_path / "ratios.json")
    monkeypatch.setattr(sys, "argv", ["check.py", "gan"])
    assert check.main() == 2
    assert "Nothing is stored of gan: run python check.py gan --write first." in capsys.readouterr().out


def test_the_guard_stores_and_compares(benchmark, monkeypatch, tmp_path, capsys):
    """With made-up speeds in place of a race."""
    check = benchmark("check")
    monkeypatch.setattr(check, "STORED", tmp_path / "ratios.json")
    for speed, flags, code in ((1.0, ["--write"], 0), (0.9, [], 0), (0.7, [], 1)):
        made_up = {"training, x": speed}, {"training": ["ours float32"]}
        monkeypatch.setattr(check, "measure", lambda *arguments, made_up=made_up: made_up)
        monkeypatch.setattr(sys, "argv", ["check.py", "gan", "vae", *flags])
        assert check.main() == code
    assert "vae: training, x was 1.00 and is 0.70" in capsys.readouterr().out


def test_equal_cost_has_the_settings_of_the_chapters(benchmark):
    """What it calls ours: a chapter whose preset changes would otherwise leave its numbers behind."""
    equal_cost = benchmark("equal_cost")
    models = {name: equal_cost.ours(name, (32, 32, 1), seed=0)[0] for name in equal_cost.MODELS}
    vae, dcgan, wgan_gp = models["vae"], models["dcgan"], models["wgan_gp"]
    of_chapters = {
        "03_vae/02_vae_fashion/vae_fashion": {"learning_rate": vae.optimizer.learning_rate},
        "04_gan/01_dcgan/dcgan": {
            "learning_rate": dcgan.generator_optimizer.learning_rate,
            "beta_1": dcgan.discriminator_optimizer.beta_1,
            "ema_decay": dcgan.ema_decay,
            "label_noise": dcgan.label_noise,
            "dropout": next(layer.rate for layer in dcgan.discriminator.layers if hasattr(layer, "rate")),
            "batch_size": equal_cost.BATCH_SIZES["dcgan"]["ours"],
        },
        "04_gan/02_wgan_gp/wgan_gp": {
            "critic_learning_rate": wgan_gp.critic_optimizer.learning_rate,
            "generator_learning_rate": wgan_gp.generator_optimizer.learning_rate,
            "beta_1": wgan_gp.critic_optimizer.beta_1,
            "beta_2": wgan_gp.generator_optimizer.beta_2,
            "critic_steps": wgan_gp.critic_steps,
            "penalty_weight": wgan_gp.penalty_weight,
            "ema_decay": wgan_gp.ema_decay,
            "dropout": next(layer.rate for layer in wgan_gp.critic.layers if hasattr(layer, "rate")),
            "batch_size": equal_cost.BATCH_SIZES["wgan_gp"]["ours"],
        },
    }
    for chapter, settings in of_chapters.items():
        preset = preset_cpu(BENCHMARKS.parent / "chapters" / f"{chapter}.py")
        for name, value in settings.items():
            value = value if isinstance(value, str) else pytest.approx(float(value))
            assert preset[name] == value, (chapter, name)


def preset_cpu(program):
    """The defaults of a chapter's `Settings`, read without running it."""
    tree = ast.parse(program.read_text(encoding="utf-8"))
    (settings,) = (node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == "Settings")
    fields = (
        node
        for node in settings.body
        if isinstance(node, ast.AnnAssign) and not ast.unparse(node.annotation).startswith("ClassVar")
    )
    return {field.target.id: ast.literal_eval(field.value) for field in fields}


def test_flows_are_measured_by_how_far_they_are_above_the_truth(benchmark, tmp_path):
    """Of a normal distribution the mean of -log p is known from the moments of the points."""
    import numpy as np

    from gdl_keras import data
    from gdl_keras.models import Gaussian

    flows = benchmark("flows")
    test = data.load(flows.DATASET, "test", count=flows.POINTS)
    points = test.rows("points", slice(None)).astype("float64")
    Gaussian(seed=1).save(tmp_path / "model.keras")
    found = flows.divergence_of(tmp_path / "model.keras")
    nats = np.log(2 * np.pi) + np.square(points).sum(axis=1).mean() / 2
    assert found["nats"] == pytest.approx(nats, rel=1e-5)
    assert found["divergence"] == pytest.approx(nats + test.log_density(points).mean(), rel=1e-5)
    assert 0 < found["standard_error"] < 0.02
    assert flows.split_at_dashes(["realnvp", "--", "--epochs", "1"]) == (["realnvp"], ["--epochs", "1"])
    assert flows.split_at_dashes(["realnvp"]) == (["realnvp"], [])
    assert all((flows.ROOT / program).exists() for program in flows.PROGRAMS.values())


def test_a_gpu_has_rows_of_its_own_and_larger_batches(benchmark):
    line_up, cases = benchmark("line_up"), benchmark("cases")
    case = cases.CASES["wgan_gp"]
    on_gpu = case.on("gpu")
    assert (case.device, case.batch_size, case.on("cpu")) == ("cpu", 64, case)
    assert (on_gpu.device, on_gpu.batch_size, on_gpu.images_per_step) == ("gpu", 512, 3 * 512)
    assert cases.CASES["dcgan"].on("gpu").batch_size == cases.CASES["dcgan"].batch_size

    on_cpu = {str(entry) for entry in line_up.entries(case, ["float32"])}
    assert on_cpu == {"plain float32", "ours float32", "pytorch float32", "pytorch float32 compiled"}
    names = {str(entry) for entry in line_up.entries(on_gpu, ["float32", "mixed_float16"], ["no_xla", "fed", "graphs"])}
    assert {"ours float16", "ours float16 no_xla", "ours float32 graphs", "ours float32 fed"} <= names
    assert {"pytorch float16 captured", "pytorch float32 compiled captured"} <= names
    sampling = {str(entry) for entry in line_up.sampling_entries(on_gpu, ["float32"])}
    assert sampling == {"plain float32", "ours float32"} | {
        name for name in names if name.startswith("pytorch float32")
    }


def test_graphs_of_whole_loops_are_asked_of_xla_beside_what_the_environment_says(benchmark, monkeypatch):
    race, engines = benchmark("race"), benchmark("engines")
    monkeypatch.setenv("XLA_FLAGS", "--xla_gpu_autotune_level=0")
    flags = race._settings(engines.Entry("ours", options=("graphs",)), "gpu")["XLA_FLAGS"].split()
    assert flags == ["--xla_gpu_autotune_level=0", race.LOOPS_AS_GRAPHS]
    assert "XLA_FLAGS" not in race._settings(engines.Entry("ours"), "gpu")


def test_who_has_no_photographs_hears_where_they_come_from(benchmark, monkeypatch, capsys):
    data_feeding = benchmark("data_feeding")
    monkeypatch.setattr(data_feeding, "find_spec", lambda name: None)
    monkeypatch.setattr(sys, "argv", ["data_feeding.py"])
    with pytest.raises(SystemExit) as refused:
        data_feeding.main()
    assert refused.value.code == 2 and "pip install scikit-learn" in capsys.readouterr().err


def test_what_only_a_gpu_has_is_refused_in_a_sentence(benchmark, monkeypatch, capsys):
    training_steps = benchmark("training_steps")
    for flags, sentence in {
        ("--policy", "mixed_float16"): "mixed_float16 is raced on a GPU only",
        ("--only", "captured"): "no engine on a cpu has captured in its name",
    }.items():
        monkeypatch.setattr(sys, "argv", ["training_steps.py", "gan", *flags])
        with pytest.raises(SystemExit) as refused:
            training_steps.main()
        assert refused.value.code == 2
        assert sentence in capsys.readouterr().err


def test_a_row_that_fails_or_hangs_says_so_and_the_others_go_on(benchmark, monkeypatch, tmp_path, capsys):
    """With a worker that answers from what its entry is called, in place of frameworks."""
    race, engines, cases = benchmark("race"), benchmark("engines"), benchmark("cases")
    worker = tmp_path / "worker.py"
    worker.write_text(
        "import json, sys, time\n"
        "entry = json.loads(sys.argv[1])\n"
        "for line in sys.stdin:\n"
        "    task = json.loads(line)\n"
        "    print('asked for', task['do'], file=sys.stderr, flush=True)\n"
        "    if 'blocks' in entry['options'] and task['do'] == 'train':\n"
        "        time.sleep(60)\n"
        "    answer = {'parameters': {'all': 1}, 'work': 1, 'peak': 5.0, 'seconds': 0.01 * task.get('amount', 0)}\n"
        "    if 'stock' in entry['options'] and task['do'] == 'train':\n"
        "        answer = {'error': 'no memory'}\n"
        "    print(json.dumps(answer), flush=True)\n"
    )
    monkeypatch.setattr(race, "__file__", str(tmp_path / "race.py"))
    entries = [engines.Entry("pytorch", options=options) for options in ((), ("stock",), ("blocks",))]
    rules = race.Rules(rounds=3, amount=20, seconds=1.8, together=2, limit=5, log=tmp_path / "logs")
    racers, peak = race.race(entries, cases.CASES["gan"].on("gpu"), "train", rules)
    assert [racer.error for racer in racers] == [None, "no memory", "no answer within 5 s"]
    assert racers[0].seconds == pytest.approx([0.01] * 3)
    assert racers[0].amount == 60 and peak == 5.0  # 0.6 s a turn, in steps of 20
    assert "does not run: no memory" in capsys.readouterr().out
    assert "asked for train" in (tmp_path / "logs" / "gan_pytorch_float32_stock.txt").read_text()


def test_races_of_later_chapters_have_the_settings_of_these(benchmark):
    """The models as the race builds them, and how many are learnt from in a step."""
    builders, cases = benchmark("engines.ours_walks_and_flows").BUILDERS, benchmark("cases").CASES
    models, optimizers = {}, {}
    for name in ("realnvp", "continuous_flow", "image_flow", "ebm", "diffusion", "flow_matching"):
        models[name], _, optimizers[name] = builders[name](cases[name])
    realnvp, continuous, image_flow, ebm, diffusion, matching = models.values()
    hidden = [layer for layer in realnvp.networks[0].layers if layer.name.startswith("scale_")]
    denoising = {
        name: {
            "steps": model.steps,
            "ema_decay": model.ema_decay,
            "beta_2": optimizers[name].beta_2,
            "clip": optimizers[name].global_clipnorm,
        }
        for name, model in (("diffusion", diffusion), ("flow_matching", matching))
    }
    of_chapters = {
        "06_normflow/01_realnvp/realnvp": (
            "realnvp",
            {"couplings": len(realnvp.networks), "units": hidden[0].units, "hidden_layers": len(hidden)},
        ),
        "06_normflow/03_continuous_flow/continuous_flow": (
            "continuous_flow",
            {
                "method": continuous.method,
                "solver_steps": continuous.steps,
                "trace_method": continuous.trace_method,
                "kinetic_weight": continuous.kinetic_weight,
                "jacobian_weight": continuous.jacobian_weight,
                "hidden_layers": len(continuous.network.layers) - 4,
            },
        ),
        "06_normflow/02_image_flow/image_flow": (
            "image_flow",
            {
                "levels": image_flow.levels,
                "flow_steps": image_flow.steps,
                "filters": image_flow.filters,
                "dequantization": image_flow.dequantization,
            },
        ),
        "07_ebm/01_ebm/ebm": (
            "ebm",
            {
                "langevin_steps": ebm.steps,
                "step_size": ebm.step_size,
                "noise": ebm.noise,
                "slope_clip": ebm.slope_clip,
                "buffer_size": ebm.buffer_size,
                "fresh": ebm.buffer.fresh,
                "reach": ebm.reach,
                "penalty": ebm.penalty,
                "data_noise": ebm.data_noise,
            },
        ),
        "08_diffusion/01_ddm/ddm": (
            "diffusion",
            {
                "noise_schedule": diffusion.schedule,
                "target": diffusion.target,
                "error": diffusion.error,
                "times": diffusion.times,
                **denoising["diffusion"],
            },
        ),
        "08_diffusion/02_flow_matching/flow_matching": (
            "flow_matching",
            {"middle": matching.middle, **denoising["flow_matching"]},
        ),
    }
    for chapter, (name, settings) in of_chapters.items():
        preset = preset_cpu(BENCHMARKS.parent / "chapters" / f"{chapter}.py")
        settings |= {"learning_rate": optimizers[name].learning_rate, "batch_size": cases[name].batch_size}
        for setting, value in settings.items():
            value = value if isinstance(value, str) else pytest.approx(float(value))
            assert preset[setting] == value, (chapter, setting)


def test_the_guard_races_only_what_was_quickest(benchmark, monkeypatch, tmp_path):
    check, cases = benchmark("check"), benchmark("cases")
    raced = {}

    def race(task):
        def measured(case, racing, rules):
            raced[task] = [str(entry) for entry in racing]
            ratio = 1.5, raced[task][0], raced[task][-1]
            return {"ratios": {"float32 over pytorch": ratio}, "engines": {}, "peak": 1.0, "samples": 1, "steps": 1}

        return measured

    monkeypatch.setattr(check.training_steps, "measure", race("training"))
    monkeypatch.setattr(check.sampling, "measure", race("sampling"))
    ratios, quickest = check.measure(cases.CASES["diffusion"], 3)
    assert ratios == {"training, float32 over pytorch": 1.5, "sampling, float32 over pytorch": 1.5}
    assert len(raced["training"]) == 6 and quickest["sampling"] == ["ours float32", "pytorch bfloat16 compiled"]
    check.measure(cases.CASES["diffusion"], 3, quickest)
    assert raced["training"] == quickest["training"] and raced["sampling"] == quickest["sampling"]
