"""Fixtures and flags for all tests: two logical CPU devices, and `--full` for the long tests."""

import gc
import os

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
if "PYTEST_XDIST_WORKER" in os.environ:
    # A worker a core: more threads in each wait for one another, a seventh of all time on small models.
    os.environ.setdefault("TF_NUM_INTRAOP_THREADS", "1")
    os.environ.setdefault("TF_NUM_INTEROP_THREADS", "1")

import pytest


def pytest_addoption(parser):
    parser.addoption("--full", action="store_true", help="also run the long tests")


def pytest_collection_modifyitems(config, items):
    if not config.getoption("--full"):
        skip = pytest.mark.skip(reason="long: run with --full")
        for item in items:
            if "full" in item.keywords:
                item.add_marker(skip)


@pytest.fixture(scope="session", autouse=True)
def own_data_folder(tmp_path_factory):
    """Prepared images of all tests go to a folder of their own, not to the user's."""
    folder = tmp_path_factory.mktemp("data")
    os.environ["GDL_DATA_DIR"] = str(folder)
    return folder


@pytest.fixture(scope="session", autouse=True)
def readers_have_no_scikit_learn(tmp_path_factory):
    """Keras imports scikit-learn wherever it is there, a quarter of its start; programs that tests start find none."""
    folder = tmp_path_factory.mktemp("as_readers_have_it")
    (folder / "sklearn.py").write_text("raise ImportError('scikit-learn is there for the tests alone')")
    os.environ["PYTHONPATH"] = os.pathsep.join([str(folder), *filter(None, [os.environ.get("PYTHONPATH")])])


@pytest.fixture(scope="session", autouse=True)
def two_logical_devices():
    """Splits the processor into CPU:0 and CPU:1, which must happen before TensorFlow first computes."""
    import tensorflow as tf

    processor = tf.config.list_physical_devices("CPU")[0]
    tf.config.set_logical_device_configuration(processor, [tf.config.LogicalDeviceConfiguration()] * 2)
    tf.config.experimental.enable_op_determinism()
    # What a GPU rounds to 10 bits of mantissa cannot be compared with numpy's.
    tf.config.experimental.enable_tensor_float_32_execution(False)
    return ["CPU:0", "CPU:1"]


@pytest.fixture(scope="session", autouse=True)
def graphs_as_they_were_traced(request, two_logical_devices):
    """In the core TensorFlow does not rearrange graphs, which takes a quarter of the first step of a tiny model.

    With --full it does, and in programs that tests start.
    """
    import tensorflow as tf

    tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": not request.config.getoption("--full")})


@pytest.fixture(scope="session", autouse=True)
def libraries_are_no_garbage(two_logical_devices):
    """What was imported stays: to search it for garbage again and again would take a twentieth of all time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 5, 5)


@pytest.fixture(scope="session")
def two_replicas(two_logical_devices):
    """One strategy for all tests: a second one over the same devices would mix up its messages with the first's."""
    import tensorflow as tf

    return tf.distribute.MirroredStrategy(two_logical_devices)


@pytest.fixture(autouse=True)
def traced_where_it_counts(request, two_logical_devices):
    """In the core, what `tf.function` would trace runs as plain Python in tests marked `eager`; see pyproject.toml."""
    import tensorflow as tf

    marks = {mark.name for mark in request.node.iter_markers()}
    is_eager = "eager" in marks and "graph" not in marks and not request.config.getoption("--full")
    tf.config.run_functions_eagerly(is_eager)
    yield
    tf.config.run_functions_eagerly(False)


@pytest.fixture(autouse=True)
def compiled_by_xla_where_it_counts(request, monkeypatch):
    """On a GPU XLA would take seconds for each of a thousand tiny steps: it compiles those of tests marked `xla`."""
    from gdl_keras.models.parts import xla

    if not request.node.get_closest_marker("xla"):
        monkeypatch.setattr(xla, "is_worth_it", lambda: False)


@pytest.fixture(autouse=True)
def fresh_state():
    """Every test starts from the same seed and leaves the precision policy as it found it."""
    import keras

    keras.utils.set_random_seed(0)
    yield
    keras.config.set_dtype_policy("float32")
    keras.utils.clear_session(free_memory=False)
